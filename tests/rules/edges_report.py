# SPDX-License-Identifier: Apache-2.0
"""What the model tests show of each edge of the library, as a table; what `make model` prints.

    edges_report.py REPORT [ROOT]

REPORT is the file that the tests wrote, as ACQREL_MODEL_REPORT told them: one JSON object a line, with the test, the edge,
its executions, whether the test holds as shipped, and what goes wrong in it with the edge weakened.
Ends with status 1 if an edge is not shown by any test, if a test of it does not hold, or does not notice its weakening.
"""
import json
import pathlib
import sys

import shown


def read(lines):
    """edge -> test -> what the test last said."""
    found = {}
    for line in lines:
        if line.strip():
            record = json.loads(line)
            found.setdefault(record['edge'], {})[record['test']] = record
    return found


def verdict(record):
    """(as shipped, weakened, whether that is as it must be)."""
    holds = 'holds' if record['holds'] else 'DOES NOT HOLD'
    if not record['holds']:
        return holds, '', False
    return holds, f'fails ({record["weakened"]})' if record['weakened'] else 'NOT NOTICED', bool(record['weakened'])


def rows(declared, found, reasons):
    """(edge, test, executions, shipped, weakened, good) of each line of the table."""
    for edge in declared:
        for test, record in found.get(edge, {}).items():
            yield edge, test, f'{record["executions"]:,}', *verdict(record)
        if edge not in found:
            reason = reasons.get(edge)
            yield edge, f'not model-checked: {reason}' if reason else 'NO MODEL TEST', '', '', '', bool(reason)


def table(lines):
    """The lines of the table as text. A reason stands alone, and widens no column."""
    head = ('edge', 'shown by', 'executions', 'shipped', 'weakened')
    cells = [head] + [line[:5] for line in lines]
    widths = [max(len(row[i]) for row in cells if i == 0 or row[2]) for i in range(5)]
    for row in cells:
        if not row[2]:
            yield f'{row[0]:{widths[0]}}  {row[1]}'
        else:
            yield (f'{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:{widths[3]}}  {row[4]}').rstrip()


def summary(lines):
    """One line: how many edges, and what is wrong with which."""
    edges = {line[0] for line in lines}
    wrong = sorted({line[0] for line in lines if not line[5]})
    unchecked = {line[0] for line in lines if line[5] and not line[2]}
    text = f'{len(edges)} edges: {len(edges - unchecked - set(wrong))} hold and are missed when weakened, {len(unchecked)} not model-checked'
    return text + (f', {len(wrong)} not shown: {", ".join(wrong)}' if wrong else '')


def report(root, text):
    lines = list(rows(shown.declared(root), read(text.splitlines()), shown.reasons()))
    return [*table(lines), '', summary(lines)], all(line[5] for line in lines)


if __name__ == '__main__':
    root = sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).resolve().parents[2]
    written = pathlib.Path(sys.argv[1])
    if not written.is_file():
        sys.exit(f'edges_report: {written} is not there; no model test ran with ACQREL_MODEL_REPORT={written}')
    printed, good = report(root, written.read_text(encoding='utf-8'))
    print('\n'.join(printed))
    sys.exit(not good)
