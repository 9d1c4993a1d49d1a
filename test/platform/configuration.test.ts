import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { SetupError } from '../../src/core/setup-error.ts';
import {
  contentLimitsOf,
  parseConfiguration,
  readConfiguration,
} from '../../src/platform/configuration.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';

const endpoint = { type: 'server', name: 'https', path: 'https/server.pem', reload: [] };
const parse = (document: object) => parseConfiguration(JSON.stringify(document), 'bmc.json');

describe('an empty configuration', () => {
  const configuration = parse({});

  it("has OpenBMC's three endpoints, one for revoked certificates, and directories", () => {
    const places = configuration.endpoints.map(({ type, name, path }) => `${type}/${name} ${path}`);
    assert.deepEqual(places, [
      'server/https /etc/ssl/certs/https/server.pem',
      'client/ldap /etc/nslcd/certs/cert.pem',
      'authority/truststore /etc/ssl/certs/authority',
      'authority/revoked /etc/ssl/certs/revoked',
    ]);
    assert.equal(configuration.stateDirectory, '/var/lib/bmc-certificate-manager');
    assert.equal(configuration.redfish.directory, `${configuration.stateDirectory}/redfish`);
    assert.equal(configuration.runtimeDirectory, '/run/bmc-certificate-manager');
    assert.equal(configuration.bus, '');
  });

  it('has a value for every other member', () => {
    assert.equal(configuration.limits.authorities, 10);
    assert.equal(configuration.limits.uploadBytes, 1_048_576);
    assert.equal(configuration.checks.allowExpired, true);
    assert.equal(configuration.selfSigned.validDays, 397);
    assert.deepEqual(configuration.access, { users: [], groups: [] });
    assert.deepEqual(configuration.reload, {
      replyMilliseconds: 300,
      attemptSeconds: 5,
      attempts: 6,
    });
    assert.equal(configuration.redfish.port, 443);
    assert.equal(configuration.redfish.limits.sessions, 64);
  });
});

describe('a configuration', () => {
  it('keeps the defaults beside the members that it has', () => {
    const { limits, redfish } = parse({ limits: { authorities: 3 }, redfish: { port: 0 } });
    assert.equal(limits.authorities, 3);
    assert.equal(limits.pendingRequests, 16);
    assert.equal(redfish.port, 0);
    assert.equal(redfish.managerId, 'bmc');
  });

  it('lets a file hold all certificates that an endpoint may have', () => {
    assert.equal(contentLimitsOf(parse({ endpoints: [endpoint] })).blocks, 1000);
    const limits = { authorities: 5000, content: { keys: 4, extensions: 50 } };
    const { blocks, extensions } = contentLimitsOf(parse({ limits, endpoints: [endpoint] }));
    assert.deepEqual([blocks, extensions], [5004, 50]);
    assert.equal(contentLimitsOf(parse({ endpoints: [endpoint] }), 7000).blocks, 7016);
  });

  const contradictions = [
    { policy: { minPasswordLength: 200 }, named: /minPasswordLength .* is 200 .* 128\.$/ },
    { policy: { maxPasswordLength: 7 }, named: /minPasswordLength .* is 8 .* 7\.$/ },
    { policy: { lockoutSeconds: 60 }, named: /lockoutResetSeconds .* is 300 .* 60\.$/ },
    {
      policy: { lockoutResetSeconds: 301 },
      named: /lockoutResetSeconds .* is 301 .* 300\.$/,
    },
  ];
  for (const { policy, named } of contradictions) {
    it(`does not contradict itself: ${JSON.stringify(policy)}`, () => {
      const refusal = { name: 'SetupError', message: named };
      assert.throws(() => parse({ users: { policy } }), refusal);
    });
  }

  const sources = [
    { users: { source: 'auto' }, named: /\/users\/source .* must be one of file, bus\.$/ },
    { users: { source: 'bus' }, named: /\/users\/passwordHelper .* is missing/ },
  ];
  for (const { users, named } of sources) {
    it(`does not take users from ${users.source} without saying what is wrong`, () => {
      assert.throws(() => parse({ users }), { name: 'SetupError', message: named });
    });
  }

  it('may lock nothing, whatever the rest says of locks', () => {
    const { users } = parse({ users: { policy: { lockoutSeconds: 0 } } });
    assert.equal(users.policy.lockoutResetSeconds, 300);
  });

  it('may have any number of endpoints of any name', () => {
    const endpoints = Array.from({ length: 64 }, (_, at) => ({
      ...{ type: 'client', name: `nats_${at}`, path: `/nats/${at}.pem` },
    }));
    assert.equal(parse({ endpoints }).endpoints.length, 64);
    assert.deepEqual(parse({ endpoints }).endpoints[0]?.reload, []);
  });

  const defaultPaths = [
    { type: 'server', path: '/state/endpoints/server-gnmi/server.pem' },
    { type: 'client', path: '/state/endpoints/client-gnmi/client.pem' },
    { type: 'authority', path: '/state/endpoints/authority-gnmi/authorities' },
  ];
  for (const { type, path } of defaultPaths) {
    it(`gives the ${type} endpoint of which it has no more than the name a place below the state directory`, () => {
      const endpoints = [{ type, name: 'gnmi' }];
      assert.equal(parse({ stateDirectory: '/state', endpoints }).endpoints[0]?.path, path);
    });
  }

  it('begins the directory of the Redfish service at the state directory', () => {
    const stateDirectory = '/state';
    assert.equal(parse({ stateDirectory }).redfish.directory, '/state/redfish');
    const redfish = { directory: '.' };
    assert.equal(parse({ stateDirectory, redfish }).redfish.directory, '/state');
  });

  const relative = [
    { member: 'an endpoint', value: '/state/https/server.pem' },
    { member: 'a pid file', value: '/state/run/redfish.pid' },
  ];
  for (const { member, value } of relative) {
    it(`begins the relative path of ${member} at its directory: ${value}`, () => {
      const { endpoints } = parse({
        stateDirectory: '/state',
        runtimeDirectory: 'run',
        endpoints: [{ ...endpoint, reload: [{ pidFile: 'redfish.pid' }] }],
      });
      const [only] = endpoints;
      assert.ok([only?.path, only?.reload[0]?.pidFile].includes(value));
    });
  }

  it('leaves absolute paths as they are', () => {
    const { endpoints } = parse({
      endpoints: [{ ...endpoint, path: '/etc/x.pem', reload: [{ pidFile: '/run/x.pid' }] }],
    });
    assert.equal(endpoints[0]?.path, '/etc/x.pem');
    assert.deepEqual(endpoints[0]?.reload, [{ pidFile: '/run/x.pid' }]);
  });

  const bad: readonly { rule: string; document: object; names: string }[] = [
    { rule: 'an unknown member', document: { endpionts: [] }, names: '/endpionts' },
    {
      rule: 'an unknown inner member',
      document: { limits: { uploads: 1 } },
      names: '/limits/uploads',
    },
    {
      rule: 'an unknown member of an endpoint',
      document: { endpoints: [{ ...endpoint, unit: 'x.service' }] },
      names: '/endpoints/0/unit',
    },
    {
      rule: 'a string for a number',
      document: { redfish: { port: '443' } },
      names: '/redfish/port',
    },
    { rule: 'a number for a string', document: { bus: 5 }, names: '/bus' },
    { rule: 'null for an object', document: { checks: null }, names: '/checks' },
    { rule: 'an object for a list', document: { endpoints: {} }, names: '/endpoints' },
    { rule: 'no endpoint at all', document: { endpoints: [] }, names: '/endpoints' },
    {
      rule: 'too many endpoints',
      document: { endpoints: Array.from({ length: 65 }, () => endpoint) },
      names: '/endpoints',
    },
    {
      rule: 'a port that is too high',
      document: { redfish: { port: 65_536 } },
      names: '/redfish/port',
    },
    {
      rule: 'a port that is no integer',
      document: { redfish: { port: 1.5 } },
      names: '/redfish/port',
    },
    {
      rule: 'a limit of nothing',
      document: { limits: { authorities: 0 } },
      names: '/limits/authorities',
    },
    {
      rule: 'more logins in the queue than a bus lets an edge wait for, where it and no fair turn would decide who waits',
      document: { users: { limits: { queuedLogins: 128 } } },
      names: '/users/limits/queuedLogins',
    },
    {
      rule: 'more days than browsers accept',
      document: { selfSigned: { validDays: 398 } },
      names: '/selfSigned/validDays',
    },
    {
      rule: 'an unlisted curve',
      document: { selfSigned: { curve: 'P-256' } },
      names: '/selfSigned/curve',
    },
    {
      rule: 'a security level that OpenSSL does not have',
      document: { endpoints: [{ ...endpoint, securityLevel: 6 }] },
      names: '/endpoints/0/securityLevel',
    },
    {
      rule: 'an unlisted type',
      document: { endpoints: [{ ...endpoint, type: 'router' }] },
      names: '/endpoints/0/type',
    },
    {
      rule: 'a name that no object path can have',
      document: { endpoints: [{ ...endpoint, name: 'my-https' }] },
      names: '/endpoints/0/name',
    },
    {
      rule: 'a name that begins with a digit',
      document: { endpoints: [{ ...endpoint, name: '2nd' }] },
      names: '/endpoints/0/name',
    },
    {
      rule: 'an empty path',
      document: { endpoints: [{ ...endpoint, path: '' }] },
      names: '/endpoints/0/path',
    },
    {
      rule: 'a unit that is none',
      document: { endpoints: [{ ...endpoint, reload: [{ unit: 'a b' }] }] },
      names: '/endpoints/0/reload/0/unit',
    },
    {
      rule: 'a reload target with two kinds',
      document: { endpoints: [{ ...endpoint, reload: [{ unit: 'a.service', pidFile: 'a' }] }] },
      names: '/endpoints/0/reload/0',
    },
    {
      rule: 'a reload target of no kind',
      document: { endpoints: [endpoint, { ...endpoint, reload: [{}] }] },
      names: '/endpoints/1/reload/0',
    },
  ];
  for (const { rule, document, names } of bad) {
    it(`with ${rule} is refused, naming the file and ${names}`, () => {
      assert.throws(
        () => parse(document),
        (error: unknown) => {
          assert.ok(error instanceof SetupError);
          assert.ok(error.message.startsWith('The configuration bmc.json is not valid: '));
          assert.match(error.message, new RegExp(`[: ]${names} \\(line 1, column \\d+\\) `));
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }

  it('has all of its faults told at once', () => {
    assert.throws(
      () => parse({ bus: 5, limits: { authorities: 0 } }),
      /\/bus .*; \/limits\/authorities /,
    );
  });

  const twins = [
    {
      rule: 'the same type and name',
      others: [endpoint, { ...endpoint, path: 'other.pem' }],
      says: /\/endpoints\/1 \(line 1, column \d+\) and \/endpoints\/0 share server\/https/,
    },
    {
      rule: 'names that differ in their first letter only, as their bus names would be one',
      others: [endpoint, { ...endpoint, name: 'Https', path: 'other.pem' }],
      says: /\/endpoints\/1 \(line 1, column \d+\) and \/endpoints\/0 share server\/https/,
    },
    {
      rule: 'the same file',
      others: [endpoint, { ...endpoint, type: 'client' }],
      says: /\/endpoints\/1 \(line 1, column \d+\) and \/endpoints\/0 share /,
    },
    {
      rule: 'the same file in two spellings',
      others: [endpoint, { ...endpoint, type: 'client', path: 'https/../https//server.pem' }],
      says: /\/endpoints\/1 \(line 1, column \d+\) and \/endpoints\/0 share /,
    },
    {
      rule: 'the same file by a relative and an absolute path',
      others: [endpoint, { ...endpoint, type: 'client', path: '/state/https/server.pem' }],
      says: /\/endpoints\/1 \(line 1, column \d+\) and \/endpoints\/0 share /,
    },
  ];
  it('says why it has no curve that web browsers refuse', () => {
    const why = /\/selfSigned\/curve .* must be one of .* \(web browsers refuse secp521r1\)/;
    assert.throws(() => parse({ selfSigned: { curve: 'secp521r1' } }), why);
  });

  for (const { rule, others, says } of twins) {
    it(`whose endpoints have ${rule} is refused`, () => {
      assert.throws(() => parse({ stateDirectory: '/state', endpoints: others }), says);
    });
  }

  it('may have a server and a client of one name', () => {
    const endpoints = [endpoint, { ...endpoint, type: 'client', path: 'client.pem' }];
    assert.equal(parse({ endpoints }).endpoints.length, 2);
  });

  const secret = 'hunter2-hunter2';
  const quoting = [
    { document: { redfish: { port: secret } } },
    { document: { endpoints: [{ ...endpoint, type: secret }] } },
    { document: { selfSigned: { organization: secret.repeat(10) } } },
    { document: { redfish: { managerId: `${secret} ` } } },
  ];
  for (const { document } of quoting) {
    it(`is never quoted: ${Object.keys(document).join()}`, () => {
      assert.throws(
        () => parse(document),
        ({ message }: Error) => !message.includes(secret),
      );
    });
  }
});

describe('the file of a configuration', () => {
  const directory = temporaryDirectory();
  after(() => removeDirectory(directory));

  const texts = [
    {
      what: 'is not JSON',
      text: '{ "bus": "secret-value',
      says: / is not JSON from line 1, column 10 on, in \/bus: there must be a value\.$/,
    },
    {
      what: 'is not JSON over several lines',
      text: '{ "bus":\n secret-value }',
      says: / is not JSON from line 2, column 2 on, in \/bus: there must be a value\.$/,
    },
    {
      what: 'is empty',
      text: '',
      says: / is not JSON from line 1, column 1 on: there must be a value\.$/,
    },
    {
      what: 'has members that are not valid on several lines',
      text: '{\n  "bus": 5,\n  "limits": {\n    "authorities": 0\n  }\n}',
      says: /\/bus \(line 2, column 3\) .*; \/limits\/authorities \(line 4, column 5\) /,
    },
    { what: 'is a list', text: '[]', says: / is not valid: the document / },
  ];
  for (const { what, text, says } of texts) {
    it(`that ${what} is refused by its name`, () => {
      const file = join(directory, 'some.json');
      writeFileSync(file, text);
      assert.throws(
        () => readConfiguration(file),
        (error: unknown) => {
          assert.ok(error instanceof SetupError);
          assert.match(error.message, says);
          assert.doesNotMatch(error.message, /\n/);
          assert.ok(error.message.startsWith(`The configuration ${file} `));
          return !error.message.includes('secret-value');
        },
      );
    });
  }

  it('may begin with a byte order mark, as editors of Windows write one', () => {
    const file = join(directory, 'marked.json');
    writeFileSync(file, '\uFEFF{"bus": "unix:path=/run/bus"}');
    assert.equal(readConfiguration(file).bus, 'unix:path=/run/bus');
  });

  for (const [what, why] of [
    ['absent.json', ': there is no such file'],
    ['.', ': it is a directory and no regular file'],
  ] as const) {
    it(`that cannot be read is refused by its name: ${what}`, () => {
      const file = join(directory, what);
      assert.throws(() => readConfiguration(file), {
        name: 'SetupError',
        message: `The configuration ${file} cannot be read${why}.`,
      });
    });
  }
});
