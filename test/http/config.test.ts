// HOST:PORT and the http slice.
import t from 'tap';
import { parseWith } from '../../src/base/schema.ts';
import { formatAddress, HttpConfig, parseAddress } from '../../src/http/index.ts';

t.test('HOST:PORT is read as people write it', async (t) => {
  const cases: [text: string, address: string | undefined][] = [
    ['127.0.0.1:9618', '127.0.0.1:9618'],
    ['9618', '127.0.0.1:9618'],
    [' Localhost:1 ', 'localhost:1'],
    ['[::1]:9618', '[::1]:9618'],
    ['[FE80::1]:9618', '[fe80::1]:9618'],
    ['::1:9618', undefined],
    ['[127.0.0.1]:9618', undefined],
    ['[::1]', undefined],
    ['host', undefined],
    ['host:', undefined],
    ['host:65536', undefined],
    ['host:-1', undefined],
    ['ho st:1', undefined],
    ['http://host:1', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    const address = parseAddress(text, '127.0.0.1');
    t.equal(address === undefined ? undefined : formatAddress(address), expected, JSON.stringify(text));
  }
});

const errorsOf = (slice: unknown) => {
  const result = parseWith(HttpConfig, slice);
  return 'errors' in result ? result.errors : [];
};

t.test('without configuration the listeners are 9618 on loopback and 9619 everywhere', async (t) => {
  t.match(HttpConfig.parse({}), {
    listen: { host: '127.0.0.1', port: 9618 },
    listenTls: { host: '0.0.0.0', port: 9619 },
    hosts: [],
    limits: { bodyBytes: 1_048_576, maxConcurrent: 256 },
  });
  t.match(HttpConfig.parse({ listen: '[::1]:1', listenTls: 'off' }), { listen: { host: '::1' }, listenTls: 'off' });
  t.match(HttpConfig.parse({ listen: 1, listenTls: 2 }), {
    listen: { port: 1 },
    listenTls: { host: '0.0.0.0', port: 2 },
  });
});

t.test('plain HTTP on another address is refused with the way out', async (t) => {
  for (const listen of ['0.0.0.0:9618', '[::]:9618', '10.0.0.1:9618', 'example.com:9618']) {
    t.match(errorsOf({ listen }), [{ path: 'listen', expected: /loopback.*use listenTls/, value: listen }]);
  }
});

t.test('every wrong field is named', async (t) => {
  t.match(
    errorsOf({
      listen: 'x',
      listenTls: 'on',
      host: ['a'],
      hosts: ['a:1'],
      tls: { certFile: 'a' },
      limits: { bodyBytes: 1 },
    }).map(({ path }) => path),
    ['listen', 'listenTls', 'hosts[0]', 'tls.keyFile', 'tls.caFile', 'limits.bodyBytes', 'host'],
  );
});
