#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the report of named sources is to a program that reads JSON.

    publications_check.py EXAMPLE FOLDER    the example holds one old version, on its only thread that reads
"""
import json
import os
import subprocess
import sys


def main(program, folder):
    file = os.path.join(folder, 'publications.json')
    subprocess.run([program, file], check=True)
    with open(file) as text:
        report = json.load(text)
    print(report)
    assert report['fences'] in ('asymmetric', 'full')
    (source,) = report['sources']
    oldest = source.pop('oldest')
    assert source.pop('age') >= 0.01
    assert source.pop('bytes_waiting') >= 8
    assert source == {'name': 'config', 'ended': False, 'generation': 2, 'publishes': 2, 'live': 2, 'waiting': 1,
                      'counted': 0, 'guards': 1}, source
    assert oldest['generation'] == 1 and oldest['thread'] > 0 and oldest['name'] != ''
    assert 0.01 <= oldest['at_least'] <= oldest['at_most']


if __name__ == '__main__':
    main(*sys.argv[1:])
