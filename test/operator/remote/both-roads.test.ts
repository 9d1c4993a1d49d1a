import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertDeclaredShape } from '../../fakes/declared-shape.ts';
import { type Issued, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type Road, type TwoRoads, twoRoads, untilSessionsEnded } from '../../fakes/two-roads.ts';

const tools = opensslAuthority();
let roads: TwoRoads;
/** What stands for files in the rows. */
let files: Readonly<Record<string, string>>;
before(async () => {
  roads = await twoRoads();
  const root = tools.issueCa({ subject: '/CN=root' });
  const middle = tools.issueCa({ subject: '/CN=middle', issuer: root });
  const other = tools.issueCa({ subject: '/CN=other' });
  const leaf = tools.issue({ subject: '/CN=ldap', issuer: middle });
  const expired = tools.issue({ subject: '/CN=old', issuer: middle, until: '20260102000000Z' });
  const bundleOf = (name: string, ...parts: readonly string[]) => tools.write(name, parts.join(''));
  const pair = ({ key, pem }: Issued) => key + pem;
  files = {
    PAIR: bundleOf('pair', pair(leaf)),
    CHAIN: bundleOf('chain', pair(leaf), middle.pem, other.pem),
    EXPIRED: bundleOf('expired', pair(expired)),
    KEYLESS: leaf.path,
    BROKEN: tools.write('broken', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    EMPTY: tools.write('empty', 'no certificate\n'),
    ROOT: root.path,
    OTHER: other.path,
    CAS: bundleOf('cas', root.pem, other.pem),
    ABSENT: `${tools.directory}/absent`,
    PASSWORD: tools.write('password', 'another horse battery'),
    SHORT: tools.write('short', 'abc'),
  };
});
after(async () => {
  await roads?.close();
  tools.remove();
});

/** Words in capitals are files. */
function wordsOf(line: string): readonly string[] {
  return line.split(' ').map((word) => files[word] ?? word);
}

/** Runs a line on a road, in a state that lines on the bus make before and take away after. */
async function outcomeOf(road: Road, { line, first = [], last = [] }: Row, isJson: boolean) {
  for (const one of first) await prepare(one);
  const words = wordsOf(line);
  const { status, stdout, stderr } = await roads.run(road, isJson ? [...words, '--json'] : words);
  for (const one of last) await prepare(one);
  if (isJson && status === 0) assertDeclaredShape(words, JSON.parse(stdout));
  return { status, stdout: comparable(stdout), stderr: comparable(stderr) };
}

async function prepare(line: string): Promise<void> {
  const { status, stderr } = await roads.run('bus', wordsOf(line));
  assert.equal(status, 0, `${line}: ${stderr}`);
}

/** Without what differs from one time to the next: times, ids of CAs, which are never given again, and of new keys. */
function comparable(text: string): string {
  return text
    .replace(/"(at|deadline)": "[^"]+"/g, '"$1": "TIME"')
    .replace(/(the clock of the device is at) [\dT:Z-]+/g, '$1 TIME')
    .replace(/authority\/truststore\/\d+/g, 'authority/truststore/N')
    .replace(/"id": "[\da-f]{64}"/g, '"id": "KEY"')
    .replace(/-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----/gs, 'CSR');
}

interface Row {
  readonly line: string;
  /** Lines on the bus. */
  readonly first?: readonly string[];
  readonly last?: readonly string[];
  readonly status?: number;
}

const withLdap = { first: ['install client/ldap PAIR'], last: ['delete client/ldap'] };

const staged = ['stage client/ldap PAIR'];
const active = [...staged, 'activate client/ldap'];

const rows: readonly Row[] = [
  { line: 'list' },
  { line: 'list --quiet' },
  { line: 'list client/ldap', ...withLdap },
  { line: 'list server/none', status: 3 },
  { line: 'show server/https' },
  { line: 'show server/https --pem' },
  { line: 'show client/ldap', ...withLdap },
  { line: 'show client/ldap', status: 3 },
  { line: 'show authority/truststore/99', status: 3 },
  { line: 'check' },
  { line: 'check -w 9999 -c 9000', status: 2 },
  { line: 'check server/https --name other.example', status: 1 },
  { line: 'install client/ldap PAIR', last: ['delete client/ldap'] },
  { line: 'install client/ldap CHAIN', last: ['delete client/ldap'] },
  { line: 'install client/ldap PAIR', ...withLdap, status: 6 },
  { line: 'install client/ldap KEYLESS', status: 5 },
  { line: 'install client/ldap BROKEN', status: 5 },
  { line: 'install client/ldap EMPTY', status: 5 },
  { line: 'install client/ldap ABSENT', status: 3 },
  { line: 'install client/ldap EXPIRED', last: ['delete client/ldap'] },
  { line: 'install server/none PAIR', status: 3 },
  { line: 'replace client/ldap CHAIN', ...withLdap },
  { line: 'replace client/ldap PAIR', status: 3 },
  { line: 'delete client/ldap', first: ['install client/ldap PAIR'] },
  { line: 'delete client/ldap', status: 3 },
  { line: 'csr client/ldap --common-name ldap --organization Example --algorithm RSA' },
  { line: 'csr server/https --name bmc.example --name 192.0.2.7 --usage DigitalSignature' },
  { line: 'csr server/https --common-name bmc --bits 3072' },
  { line: 'csr server/https --common-name bmc --country Nowhere', status: 2 },
  { line: 'csr server/https --common-name bmc --curve P-99', status: 2 },
  { line: 'csr server/https --common-name bmc --algorithm RSA --bits 12', status: 2 },
  { line: 'csr authority/truststore --common-name x', status: 2 },
  { line: 'renew client/ldap', ...withLdap },
  { line: 'renew server/https --if-due --days 1', status: 9 },
  { line: 'rekey client/ldap --curve P-256', ...withLdap },
  { line: 'trust add ROOT', first: ['trust replace OTHER'] },
  { line: 'trust add CAS', first: ['trust replace OTHER'] },
  { line: 'trust add KEYLESS', status: 5 },
  { line: 'trust list' },
  { line: 'trust list --endpoint authority/revoked' },
  { line: 'trust remove 99', status: 3 },
  { line: 'trust replace CAS', first: ['trust replace OTHER'] },
  { line: 'trust replace BROKEN', status: 5 },
  { line: 'requests' },
  { line: 'requests client/ldap' },
  { line: 'discard server/https 0000', status: 3 },
  { line: 'status' },
  { line: 'reload server/https' },
  { line: 'stage client/ldap PAIR --seconds 300', last: ['rollback client/ldap'] },
  { line: 'stage client/ldap PAIR --bundle ROOT', last: ['rollback client/ldap'] },
  { line: 'stage client/ldap BROKEN', status: 5 },
  { line: 'stage client/ldap PAIR', first: staged, last: ['rollback client/ldap'], status: 6 },
  { line: 'install client/ldap PAIR', first: staged, last: ['rollback client/ldap'], status: 6 },
  { line: 'activate client/ldap', first: staged, last: ['rollback client/ldap'] },
  { line: 'activate client/ldap', status: 3 },
  { line: 'commit client/ldap', first: active, last: ['delete client/ldap'] },
  { line: 'commit client/ldap', status: 3 },
  { line: 'rollback client/ldap', first: active },
  { line: 'rollback client/ldap', status: 3 },
  { line: 'user list' },
  { line: 'user add alice --password-file PASSWORD', last: ['user remove alice'] },
  { line: 'user add alice --password-file SHORT', status: 5 },
  { line: 'user add admin --password-file PASSWORD', status: 6 },
  {
    line: 'user role alice Operator',
    first: ['user add alice --password-file PASSWORD'],
    last: ['user remove alice'],
  },
  { line: 'user role absent Operator', status: 3 },
  { line: 'user unlock admin' },
  { line: 'user remove absent', status: 3 },
];

const ownGroup = {
  first: ['endpoint add authority/group-2'],
  last: ['endpoint remove authority/group-2'],
};
const filledGroup = {
  ...ownGroup,
  first: [...ownGroup.first, 'trust add ROOT --endpoint authority/group-2'],
};
const runTime = ['server/gnoi-1.a', 'authority/group-1'];

const rowsOfRunTime: readonly Row[] = [
  { line: 'status' },
  { line: 'show server/gnoi-1.a', status: 3 },
  { line: 'install server/gnoi-1.a PAIR', last: ['delete server/gnoi-1.a'] },
  { line: 'delete server/gnoi-1.a', first: ['install server/gnoi-1.a PAIR'] },
  { line: 'csr server/gnoi-1.a --common-name gnoi' },
  { line: 'trust add OTHER --endpoint authority/group-2', ...ownGroup },
  { line: 'trust replace CAS --endpoint authority/group-2', ...filledGroup },
  { line: 'trust remove authority/group-2/1', ...filledGroup },
];

const rowsOfFilledRunTime: readonly Row[] = [
  { line: 'list' },
  { line: 'check' },
  { line: 'show server/gnoi-1.a' },
  { line: 'trust list --endpoint authority/group-1' },
  { line: 'replace server/gnoi-1.a CHAIN' },
];

/** As people read it; programs get the same data as JSON. */
const inText = [
  'list',
  'show server/https',
  'install client/ldap CHAIN',
  'trust list',
  'user list',
];

function compareRoads(compared: readonly Row[]): void {
  for (const row of compared) {
    const ending = row.status ? ` with status ${row.status}` : '';
    it(`does as over the bus: ${row.line}${ending}`, async () => {
      for (const isJson of inText.includes(row.line) ? [true, false] : [true]) {
        const overBus = await outcomeOf('bus', row, isJson);
        assert.deepEqual(await outcomeOf('redfish', row, isJson), overBus);
        assert.equal(overBus.status, row.status ?? 0, overBus.stderr);
      }
    });
  }
}

describe('a command of bmc-certs over Redfish', () => {
  compareRoads(rows);

  // Made once: each line is a process, and most of these only look
  describe('with endpoints of run time', () => {
    before(async () => {
      for (const name of runTime) await prepare(`endpoint add ${name}`);
    });
    after(async () => {
      for (const name of runTime) await prepare(`endpoint remove ${name}`);
    });
    compareRoads(rowsOfRunTime);

    describe('that have certificates', () => {
      before(async () => {
        await prepare('install server/gnoi-1.a PAIR');
        await prepare('trust add ROOT --endpoint authority/group-1');
      });
      compareRoads(rowsOfFilledRunTime);
    });
  });

  it('leaves no session behind, whatever came of it', async () => {
    await untilSessionsEnded(roads);
  });
});
