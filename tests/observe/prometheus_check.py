#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What registry writes, read by the real Prometheus.

    prometheus_check.py PROMETHEUS PROMTOOL METRICS_PROCESS FOLDER

promtool finds nothing to say about the text; and prometheus, started here on loopback, scrapes both formats from a server
that stands before the process, and answers queries with what was counted there, labels and examples included.
"""
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

TYPES = {'prometheus': 'text/plain; version=0.0.4; charset=utf-8',
         'openmetrics': 'application/openmetrics-text; version=1.0.0; charset=utf-8'}


class Process:
    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def text(self, form):
        with self.lock:
            self.child.stdin.write(form + '\n')
            self.child.stdin.flush()
            return ''.join(iter(self.child.stdout.readline, '.\n'))

    def end(self):
        self.child.stdin.close()
        assert self.child.wait(10) == 0


def serve(process):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            form = self.path.strip('/')
            body = process.text(form).encode()
            self.send_response(200)
            self.send_header('Content-Type', TYPES[form])
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def check_text(promtool, process):
    for form in TYPES:
        text = process.text(form)
        assert text, form
        if form == 'prometheus':
            said = subprocess.run([promtool, 'check', 'metrics'], input=text, capture_output=True, text=True)
            assert said.returncode == 0 and not said.stdout + said.stderr, said.stdout + said.stderr
    # The tool does find fault with what is wrong.
    wrong = subprocess.run([promtool, 'check', 'metrics'], input='# TYPE a counter\na 1\n', capture_output=True, text=True)
    assert wrong.returncode != 0, wrong


class Prometheus:
    def __init__(self, program, served, folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        config = os.path.join(folder, 'prometheus.yml')
        with open(config, 'w') as file:
            json.dump({'global': {'scrape_interval': '1s', 'scrape_timeout': '1s'},
                       'scrape_configs': [{'job_name': form, 'metrics_path': '/' + form,
                                           'static_configs': [{'targets': [f'127.0.0.1:{served}']}]}
                                          for form in TYPES]}, file)
        self.port = free_port()
        self.log = open(os.path.join(folder, 'log'), 'w+')
        self.child = subprocess.Popen(
            [program, f'--config.file={config}', f'--storage.tsdb.path={folder}/data', '--enable-feature=exemplar-storage',
             f'--web.listen-address=127.0.0.1:{self.port}'], stdout=self.log, stderr=self.log)

    def ask(self, path, **arguments):
        url = f'http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}'
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)['data']

    def until(self, what, look, seconds=90):
        end = time.monotonic() + seconds
        last = None
        while time.monotonic() < end and self.child.poll() is None:
            try:
                last = look()
                if last:
                    print(f'{what}: {last}')
                    return last
            except OSError as not_yet:
                last = not_yet
            time.sleep(0.2)
        self.log.seek(0)
        raise AssertionError(f'{what}: {last}; prometheus said:\n{self.log.read()}')

    def end(self):
        self.child.terminate()
        self.child.wait(30)
        self.log.close()


def check_scrapes(prometheus):
    def value(query):
        found = prometheus.ask('query', query=query)['result']
        return float(found[0]['value'][1]) if found else None
    for form in TYPES:
        of = f'job="{form}"'
        count = 'planted_requests_total{path="/a\\\\b\\"c\\nd",' + of + '}'
        first = prometheus.until(f'{form}: requests', lambda: value(count))
        prometheus.until(f'{form}: more of them', lambda: (value(count) or 0) > first)
        assert value(f'planted_queue_ratio{{{of}}}') == 0.25
        assert value(f'planted_answers{{{of}}}') == 42
        assert value(f'up{{{of}}}') == 1
        median = prometheus.until(f'{form}: a quantile of the last minute', lambda: value(
            f'histogram_quantile(0.4, rate(planted_request_seconds_bucket{{{of}}}[1m])) > 0'))
        assert 0.1 < median <= 1, median
        targets = [t for t in prometheus.ask('targets')['activeTargets'] if t['labels']['job'] == form]
        assert [t['lastError'] for t in targets] == [''], targets
    examples = prometheus.until('examples', lambda: prometheus.ask(
        'query_exemplars', query='planted_request_seconds_bucket', start=time.time() - 300, end=time.time() + 60))
    assert examples[0]['exemplars'][0]['labels'] == {'trace_id': '4bf92f3577b34da6'}, examples
    assert examples[0]['seriesLabels']['job'] == 'openmetrics', examples
    metadata = prometheus.ask('metadata', metric='planted_requests_total')['planted_requests_total']
    assert metadata[0]['help'] == 'Requests \\ "served"\nby now.', metadata


def main(program, promtool, metrics, folder):
    process = Process(metrics)
    server = serve(process)
    try:
        check_text(promtool, process)
        prometheus = Prometheus(program, server.server_address[1], folder)
        try:
            check_scrapes(prometheus)
        finally:
            prometheus.end()
    finally:
        server.shutdown()
        process.end()


if __name__ == '__main__':
    main(*sys.argv[1:])
