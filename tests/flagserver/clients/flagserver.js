// SPDX-License-Identifier: Apache-2.0
// Starts the real server on a free port, with a flag file that the test may change.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const hang = 60_000; // only to end a test that has failed

async function startServer(binary, flags) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'acqrel-clients-'));
  const file = path.join(folder, 'flags.json');
  const write = (content) => {
    fs.writeFileSync(`${file}.new`, JSON.stringify(content));
    fs.renameSync(`${file}.new`, file);
  };
  write(flags);

  const child = spawn(binary, ['serve', '--flags', file, '--port', '0', '--management-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const waiting = new Set();
  readline.createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line);
    for (const check of [...waiting]) check();
  });
  const exited = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  const firstLine = await Promise.race([
    new Promise((resolve) => readline.createInterface({ input: child.stdout }).once('line', resolve)),
    exited.then((code) => { throw new Error(`${binary} ended with ${code}: ${log.join('\n')}`); }),
  ]);
  const url = /http:\/\/\S+/.exec(firstLine)[0];

  /// Resolves once the log has `count` lines that match.
  const logged = (pattern, count = 1) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no line ${count} like ${pattern} in:\n${log.join('\n')}`)), hang);
    const check = () => {
      if (log.filter((line) => pattern.test(line)).length < count) return;
      clearTimeout(timer);
      waiting.delete(check);
      resolve();
    };
    waiting.add(check);
    check();
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const code = await exited;
    fs.rmSync(folder, { recursive: true });
    if (code !== 0) throw new Error(`the server ended with ${code}: ${log.join('\n')}`);
  };
  return { url, write, logged, stop };
}

module.exports = { startServer, hang };
