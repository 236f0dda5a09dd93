// SPDX-License-Identifier: Apache-2.0
// The OpenFeature clients from npm against the real server. Usage: FLAGSERVER=path node --test clients.test.js
'use strict';
const assert = require('node:assert/strict');
const { before, after, test } = require('node:test');
const server = require('@openfeature/server-sdk');
const web = require('@openfeature/web-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');
const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider');
const { startServer, hang } = require('./flagserver.js');

const always = (value, more) => ({ state: 'ENABLED', variants: { v: value }, defaultVariant: 'v', ...more });
const object = { text: 'é', list: [1, { deep: null }], 'odd key': false };
const paid = { if: [{ '==': [{ var: 'plan' }, 'gold'] }, 'yes', 'no'] };
const flags = (greeting) => ({
  metadata: { owner: 'tests' },
  flags: {
    'a-bool': always(true),
    'a-string': always(greeting, { metadata: { team: 'web', level: 2, fine: true } }),
    'a-number': always(-12.5),
    'an-integer': always(9007199254740991),
    'an-object': always(object),
    'folder/flag': always('slash'),
    paid: { state: 'ENABLED', variants: { yes: true, no: false }, defaultVariant: 'no', targeting: paid },
    split: {
      state: 'ENABLED', variants: { a: 'a', b: 'b' }, defaultVariant: 'a',
      targeting: { fractional: [['a', 50], ['b', 50]] },
    },
    born: {
      state: 'ENABLED', variants: { yes: true, no: false }, defaultVariant: 'no',
      targeting: { if: [{ starts_with: [{ var: 'born' }, '1970-01-01T'] }, 'yes', 'no'] },
    },
    disabled: { ...always(true), state: 'DISABLED' },
    'no-default': { state: 'ENABLED', variants: { yes: true }, targeting: { if: [false, 'yes', null] } },
    'bad-rule': always(true, { targeting: { $ref: 'nowhere' } }),
  },
});

let flagserver;
const requests = []; // what the web provider sent and got

before(async () => {
  flagserver = await startServer(process.env.FLAGSERVER, flags('hello'));
});

after(async () => {
  await server.OpenFeature.close();
  await web.OpenFeature.close();
  await flagserver.stop();
});

const recordingFetch = async (input, init) => {
  const request = new Request(input, init);
  const response = await fetch(request);
  requests.push({ path: new URL(request.url).pathname, ifNoneMatch: request.headers.get('if-none-match'),
                  status: response.status, etag: response.headers.get('etag') });
  return response;
};

test('the server provider evaluates every type, single flag by single flag', async () => {
  await server.OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: flagserver.url }));
  const client = server.OpenFeature.getClient();
  const details = await client.getBooleanDetails('a-bool', false);
  assert.deepEqual([details.value, details.variant, details.reason, details.errorCode], [true, 'v', 'STATIC', undefined]);
  assert.equal(await client.getStringValue('a-string', ''), 'hello');
  assert.deepEqual((await client.getStringDetails('a-string', '')).flagMetadata,
                   { owner: 'tests', team: 'web', level: 2, fine: true });
  assert.equal(await client.getNumberValue('a-number', 0), -12.5);
  assert.equal(await client.getNumberValue('an-integer', 0), 9007199254740991);
  assert.deepEqual(await client.getObjectValue('an-object', {}), object);
  assert.equal(await client.getStringValue('folder/flag', ''), 'slash'); // this provider encodes nothing
});

test('the server provider sends its context, and targeting sees it', async () => {
  const client = server.OpenFeature.getClient();
  const details = await client.getBooleanDetails('paid', false, { targetingKey: 'u1', plan: 'gold' });
  assert.deepEqual([details.value, details.variant, details.reason], [true, 'yes', 'TARGETING_MATCH']);
  assert.equal(await client.getBooleanValue('paid', true, { targetingKey: 'u1', plan: 'tin' }), false);
  assert.equal(await client.getBooleanValue('paid', true), false);
  assert.equal(await client.getBooleanValue('born', false, { born: new Date(0) }), true);
  const variants = new Set();
  for (let user = 0; user < 50; ++user) {
    const context = { targetingKey: `user-${user}` };
    const first = await client.getStringValue('split', '', context);
    assert.equal(await client.getStringValue('split', '', context), first);
    variants.add(first);
  }
  assert.deepEqual([...variants].sort(), ['a', 'b']);
});

test('what cannot be evaluated falls back to the default of the code, with its error', async () => {
  const client = server.OpenFeature.getClient();
  const missing = await client.getStringDetails('missing', 'fallback');
  assert.deepEqual([missing.value, missing.reason, missing.errorCode], ['fallback', 'ERROR', 'FLAG_NOT_FOUND']);
  const mismatch = await client.getNumberDetails('a-bool', 7);
  assert.deepEqual([mismatch.value, mismatch.errorCode], [7, 'TYPE_MISMATCH']);
  const broken = await client.getBooleanDetails('bad-rule', false);
  assert.deepEqual([broken.value, broken.errorCode], [false, 'PARSE_ERROR']);
  // No value in the answer means the default of the code. This provider (0.1.3) takes it for an error; the value is right.
  assert.equal(await client.getBooleanValue('disabled', false), false);
  assert.equal(await client.getBooleanValue('disabled', true), true);
  assert.equal(await client.getBooleanValue('no-default', true), true);
});

test('the web provider evaluates every type from one bulk answer', async () => {
  await web.OpenFeature.setContext({ targetingKey: 'u1', plan: 'gold' });
  const provider = new OFREPWebProvider({ baseUrl: flagserver.url, pollInterval: 100, fetchImplementation: recordingFetch });
  await web.OpenFeature.setProviderAndWait(provider);
  assert.deepEqual([requests[0].path, requests[0].ifNoneMatch, requests[0].status], ['/ofrep/v1/evaluate/flags', null, 200]);
  const client = web.OpenFeature.getClient();
  assert.equal(client.getBooleanValue('a-bool', false), true);
  assert.equal(client.getStringValue('a-string', ''), 'hello');
  assert.equal(client.getNumberValue('a-number', 0), -12.5);
  assert.deepEqual(client.getObjectValue('an-object', {}), object);
  assert.equal(client.getStringValue('folder/flag', ''), 'slash');
  const match = client.getBooleanDetails('paid', false);
  assert.deepEqual([match.value, match.variant, match.reason], [true, 'yes', 'TARGETING_MATCH']);
  const missing = client.getStringDetails('missing', 'fallback');
  assert.deepEqual([missing.value, missing.errorCode], ['fallback', 'FLAG_NOT_FOUND']);
  for (const [key, reason] of [['disabled', 'DISABLED'], ['no-default', 'DEFAULT']]) {
    const details = client.getBooleanDetails(key, true);
    assert.deepEqual([details.value, details.reason, details.errorCode], [true, reason, undefined]);
  }
  assert.equal(client.getBooleanDetails('bad-rule', false).errorCode, 'PARSE_ERROR');
});

/// Waits until the web provider has made another request, and returns it.
async function nextRequest(wanted = () => true) {
  const from = requests.length;
  const until = Date.now() + hang;
  for (;;) {
    const found = requests.slice(from).find(wanted);
    if (found) return found;
    assert.ok(Date.now() < until, `no such request in ${JSON.stringify(requests.slice(from))}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('the web provider polls with its tag and is told that nothing changed', async () => {
  const poll = await nextRequest();
  assert.deepEqual([poll.ifNoneMatch, poll.status, poll.etag], [requests[0].etag, 304, requests[0].etag]);
});

test('a change of context is evaluated anew, also for the same targeting key', async () => {
  const client = web.OpenFeature.getClient();
  await web.OpenFeature.setContext({ targetingKey: 'u1', plan: 'tin' }); // keeps its tag: a 304 would be wrong
  assert.equal(client.getBooleanValue('paid', true), false);
  await web.OpenFeature.setContext({ targetingKey: 'u2', plan: 'gold' });
  assert.equal(client.getBooleanValue('paid', false), true);
});

test('both providers see an edit of the file', { timeout: hang }, async () => {
  const changed = new Promise((resolve) => {
    web.OpenFeature.getClient().addHandler(web.ProviderEvents.ConfigurationChanged, (event) => resolve(event.flagsChanged));
  });
  flagserver.write(flags('goodbye'));
  await flagserver.logged(/reloaded .* 1 changed \(a-string\)/);
  assert.equal(await server.OpenFeature.getClient().getStringValue('a-string', ''), 'goodbye');
  assert.deepEqual(await changed, ['a-string']);
  assert.equal(web.OpenFeature.getClient().getStringValue('a-string', ''), 'goodbye');
  const poll = await nextRequest((request) => request.status === 304);
  assert.notEqual(poll.etag, requests[0].etag);
});
