import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeAuthority, type TestAuthority } from './certificate-authority.ts';
import { must, until } from './commands.ts';
import { curl, type HttpAnswer, type HttpRequest, logIn } from './redfish-client.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const sessions = '/redfish/v1/SessionService/Sessions';
const replace = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

/** One request that must be refused. */
interface Refusal {
  readonly what: string;
  readonly uri: string;
  readonly request: () => HttpRequest;
  readonly status: number;
  /** MessageId without its registry. */
  readonly message: string;
  /** What the answer says of the failing check or member. */
  readonly names: RegExp;
}

describe('bad input', () => {
  const directory = temporaryDirectory();
  let stack: RunningStack;
  let ca: TestAuthority;
  let token: string;
  let pair: { key: string; pem: string };
  let other: { key: string; pem: string };
  let weak: { key: string; pem: string };
  let encryptedKey: string;
  let disk: string;
  const answers: HttpAnswer[] = [];

  before(async () => {
    ca = await makeAuthority(directory, 'Test CA');
    pair = await ca.issue('one', ['-newkey', 'rsa:2048']);
    other = await ca.issue('two', ['-newkey', 'rsa:2048']);
    weak = await ca.issue('weak', ['-newkey', 'rsa:1024']);
    encryptedKey = await must(
      'openssl',
      ['pkey', '-aes128', '-passout', 'pass:tops3cret'],
      pair.key,
    );
    stack = await startStack(directory);
    token = await logIn(stack.url, stack.password);
    const installed = await curl(`${stack.url}${truststore}`, { token, body: ca.pem });
    assert.equal(installed.status, 201, installed.text);
    const uri = String(installed.headers.location);
    // The event service stores what it told of a certificate after the answer; the file of before goes last
    await until('the health of the authority is stored', () => {
      const { certificates } = JSON.parse(readFileSync(join(directory, 'events.json'), 'utf8'));
      const isWriting = readdirSync(directory).some((name) => name.startsWith('.events.json.'));
      return !isWriting && uri in (certificates ?? {});
    });
    disk = snapshot(directory);
  });

  after(async () => {
    await stack?.stop();
    removeDirectory(directory);
  });

  const bodyOf = (CertificateString: unknown, uri = `${https}/1`) => ({
    CertificateString,
    CertificateUri: { '@odata.id': uri },
  });
  const replaceWith = (
    what: string,
    pem: () => string,
    names: RegExp,
    uri = `${https}/1`,
  ): Refusal => ({
    what: `ReplaceCertificate with ${what}`,
    uri: replace,
    request: () => ({ body: bodyOf(pem(), uri) }),
    status: 400,
    message: 'ActionParameterValueError',
    names,
  });
  const postTo = (
    uri: string,
    what: string,
    body: () => object | string,
    status: number,
    message: string,
    names: RegExp,
  ): Refusal => ({
    what: `POST of ${what}`,
    uri,
    request: () => ({ method: 'POST', body: body() }),
    status,
    message,
    names,
  });
  const csrWith = (what: string, members: object, message: string, names: RegExp): Refusal => ({
    what: `GenerateCSR with ${what}`,
    uri: generate,
    request: () => ({
      body: { CertificateCollection: { '@odata.id': https }, CommonName: 'bmc', ...members },
    }),
    status: 400,
    message,
    names,
  });

  const refusals: readonly Refusal[] = [
    replaceWith('garbage', () => 'not a certificate', /no-certificate: /),
    replaceWith(
      'a truncated PEM',
      () => pair.pem.slice(0, 300),
      /pem-malformed: .* has no END line/,
    ),
    replaceWith('broken base64', () => pair.pem.replace('MII', 'M*I'), /pem-malformed: /),
    replaceWith('broken DER', () => pair.pem.replace('MII', 'AAA'), /certificate-malformed: /),
    replaceWith('a key alone', () => pair.key, /no-certificate: /),
    replaceWith('the wrong key', () => `${other.key}${pair.pem}`, /key-mismatch: /),
    replaceWith('no key anywhere', () => pair.pem, /key-missing: /),
    replaceWith('an encrypted key', () => `${encryptedKey}${pair.pem}`, /key-encrypted: /),
    replaceWith('a weak key', () => `${weak.key}${weak.pem}`, /key-strength: .*1024/),
    replaceWith('eleven certificates', () => ca.pem.repeat(11), /too-many-certificates: .*10/),
    {
      what: 'ReplaceCertificate of an unknown certificate',
      uri: replace,
      request: () => ({ body: bodyOf(pair.key + pair.pem, `${https}/7`) }),
      status: 404,
      message: 'ResourceNotFound',
      names: /'7'/,
    },
    {
      what: 'ReplaceCertificate of something that is no certificate',
      uri: replace,
      request: () => ({ body: bodyOf(pair.key + pair.pem, '/redfish/v1/Chassis/1') }),
      status: 400,
      message: 'ActionParameterNotSupported',
      names: /Chassis/,
    },
    {
      what: 'ReplaceCertificate without a certificate',
      uri: replace,
      request: () => ({ body: { CertificateUri: { '@odata.id': `${https}/1` } } }),
      status: 400,
      message: 'ActionParameterMissing',
      names: /CertificateString/,
    },
    {
      what: 'ReplaceCertificate with an unknown member',
      uri: replace,
      request: () => ({ body: { ...bodyOf(pair.pem), Colour: 'red' } }),
      status: 400,
      message: 'ActionParameterUnknown',
      names: /Colour/,
    },
    {
      what: 'ReplaceCertificate with a number for the certificate',
      uri: replace,
      request: () => ({ body: bodyOf(7) }),
      status: 400,
      message: 'ActionParameterValueTypeError',
      names: /CertificateString must be string/,
    },
    {
      what: 'ReplaceCertificate with an unknown type',
      uri: replace,
      request: () => ({ body: { ...bodyOf(pair.pem), CertificateType: 'DER' } }),
      status: 400,
      message: 'ActionParameterValueNotInList',
      names: /CertificateType must be one of PEM/,
    },
    postTo(truststore, 'garbage', () => 'garbage', 400, 'PropertyValueError', /no-certificate: /),
    postTo(truststore, 'nothing', () => '', 400, 'UnrecognizedRequestBody', /file-empty: /),
    postTo(truststore, 'empty JSON', () => ({}), 400, 'EmptyJSON', /empty JSON/),
    postTo(truststore, 'broken JSON', () => '{"Certif', 400, 'MalformedJSON', /malformed JSON/),
    postTo(truststore, 'a leaf', () => pair.pem, 400, 'PropertyValueError', /not-a-ca: /),
    postTo(truststore, 'an installed CA', () => ca.pem, 409, 'ResourceAlreadyExists', /as 1/),
    postTo(
      truststore,
      'an array',
      () => '{"CertificateString": []}',
      400,
      'PropertyValueTypeError',
      /CertificateString must be string/,
    ),
    postTo(
      ldap,
      'a certificate without its key',
      () => pair.pem,
      400,
      'PropertyValueError',
      /key-missing: /,
    ),
    postTo(
      https,
      'a second certificate',
      () => pair.key + pair.pem,
      409,
      'ResourceCreationConflict',
      /already-installed: /,
    ),
    postTo(
      truststore,
      'an authority and a leaf at once',
      () => ca.pem + pair.pem,
      400,
      'PropertyValueError',
      /not-a-ca: /,
    ),
    postTo(truststore, '2 MB', () => 'x'.repeat(2_000_000), 413, 'PayloadTooLarge', /maximum size/),
    csrWith(
      'no name',
      { CommonName: '', Organization: 'Example' },
      'ActionParameterMissing',
      /CommonName is missing, and so are AlternativeNames/,
    ),
    csrWith(
      'an unknown curve',
      { KeyCurveId: 'P-192' },
      'ActionParameterValueNotInList',
      /KeyCurveId is none of/,
    ),
    csrWith(
      'a curve that no TLS client takes of a server',
      { KeyCurveId: 'secp256k1' },
      'ActionParameterValueNotInList',
      /curve-unsupported: /,
    ),
    csrWith(
      'an unknown algorithm',
      { KeyPairAlgorithm: 'DSA' },
      'ActionParameterValueNotInList',
      /KeyPairAlgorithm is neither/,
    ),
    csrWith(
      'a weak RSA key',
      { KeyPairAlgorithm: 'RSA', KeyBitLength: 1024 },
      'ActionParameterValueNotInList',
      /KeyBitLength is none of/,
    ),
    csrWith(
      'a country of three letters',
      { Country: 'CHE' },
      'ActionParameterValueError',
      /Country/,
    ),
    csrWith(
      'a long name',
      { CommonName: 'x'.repeat(65) },
      'ActionParameterValueError',
      /CommonName is longer than 64/,
    ),
    csrWith(
      'a bad alternative name',
      { AlternativeNames: ['a b'] },
      'ActionParameterValueError',
      /AlternativeNames\/0/,
    ),
    csrWith(
      'an unknown usage',
      { KeyUsage: ['Everything'] },
      'ActionParameterValueNotInList',
      /KeyUsage\/0/,
    ),
    csrWith('a wrong type', { City: 7 }, 'ActionParameterValueTypeError', /City must be string/),
    csrWith('an unknown member', { Colour: 'red' }, 'ActionParameterUnknown', /Colour/),
    csrWith(
      'a collection of authorities',
      { CertificateCollection: truststore },
      'ActionParameterNotSupported',
      /Truststore/,
    ),
    {
      what: 'a login with the wrong password',
      uri: sessions,
      request: () => ({ body: { UserName: 'admin', Password: 'wr0ng-guess' } }),
      status: 401,
      message: 'ResourceAtUriUnauthorized',
      names: /Invalid username or password/,
    },
    {
      what: 'a login with a number for the password',
      uri: sessions,
      request: () => ({ body: { UserName: 'admin', Password: 12345678 } }),
      status: 400,
      message: 'PropertyValueTypeError',
      names: /Password must be string/,
    },
    {
      what: 'a login without a name',
      uri: sessions,
      request: () => ({ body: { Password: 'x' } }),
      status: 400,
      message: 'PropertyMissing',
      names: /UserName/,
    },
    {
      what: 'an unknown URI',
      uri: '/redfish/v1/CertificateService/Nothing',
      request: () => ({}),
      status: 404,
      message: 'ResourceMissingAtURI',
      names: /CertificateService\/Nothing/,
    },
    {
      what: 'DELETE of an unknown authority',
      uri: `${truststore}/99`,
      request: () => ({ method: 'DELETE' }),
      status: 404,
      message: 'ResourceNotFound',
      names: /'99'/,
    },
    {
      what: 'DELETE of the HTTPS certificate',
      uri: `${https}/1`,
      request: () => ({ method: 'DELETE' }),
      status: 405,
      message: 'ResourceCannotBeDeleted',
      names: /non-deletable/,
    },
  ];

  for (const { what, uri, request, status, message, names } of refusals) {
    it(`${what} is refused with ${status} ${message}`, async () => {
      const answer = await curl(`${stack.url}${uri}`, { token, ...request() });
      answers.push(answer);
      assert.equal(answer.status, status, answer.text);
      assert.equal(messageId(answer), message, answer.text);
      assert.match(answer.text, names);
      assert.equal(snapshot(directory), disk, 'something changed on disk');
    });
  }

  const guarded: readonly (readonly [string, string])[] = [
    ['GET', https],
    ['GET', `${truststore}/1`],
    ['GET', '/redfish/v1/Nothing'],
    ['POST', truststore],
    ['POST', replace],
    ['POST', generate],
    ['DELETE', `${truststore}/1`],
    ['DELETE', '/redfish/v1'],
  ];
  for (const [method, uri] of guarded) {
    it(`${method} ${uri} without login is refused with 401`, async () => {
      const body = method === 'POST' ? { body: bodyOf(ca.pem) } : {};
      for (const credentials of [
        [],
        ['X-Auth-Token: 0123'],
        ['Authorization: Basic YWRtaW46eA=='],
      ]) {
        const answer = await curl(`${stack.url}${uri}`, { method, headers: credentials, ...body });
        answers.push(answer);
        assert.equal(answer.status, 401, answer.text);
        assert.match(answer.headers['www-authenticate'] ?? '', /^Basic/);
        assert.match(answer.text, /NoValidSession|ResourceAtUriUnauthorized/);
      }
      assert.equal(snapshot(directory), disk, 'something changed on disk');
    });
  }

  it('shows no secret and no stack trace in any answer or log line', () => {
    const text = [stack.output(), ...answers.map((answer) => JSON.stringify(answer))].join('\n');
    assert.ok(answers.length > refusals.length);
    for (const secret of [pair.key, other.key, weak.key, encryptedKey]) {
      for (const line of secret.split('\n').filter((one) => /^[A-Za-z0-9+/]{40,}/.test(one))) {
        assert.ok(!text.includes(line), 'a private key leaked');
      }
    }
    for (const secret of [stack.password, token, 'wr0ng-guess', '12345678', 'tops3cret']) {
      assert.ok(!text.includes(secret), `${secret} leaked`);
    }
    assert.doesNotMatch(text, /PRIVATE KEY|\bat .+\.[jt]s:\d+/);
  });
});

function messageId({ json }: HttpAnswer): string {
  const info = json.error?.['@Message.ExtendedInfo'];
  return String(Object.values(info ?? {})[0]?.MessageId).replace(/^Base\.[\d.]+\./, '');
}

/** Every file with its content; uploads in transit count too. When sessions were used last is kept once a minute. */
function snapshot(directory: string): string {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const others = entries.filter(({ name }) => !/^\.?sessions\.json/.test(name));
  const lines = others.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`;
    if (!entry.isFile()) return path;
    return `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  });
  return lines.sort().join('\n');
}
