import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { modules, yangText } from '../../../src/netconf/models/modules.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import type { MemoryClient } from '../../fakes/memory-client.ts';
import type { MemoryEndpoints } from '../../fakes/memory-endpoints.ts';
import { certificateOf, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { authority, server } from '../../fakes/run-time-device.ts';
import { bag, bags, bare, certificate, cms, key, keys, keystore, truststore } from '../messages.ts';
import { baseNamespace, type Client, type DatastoreWorld, memoryDatastore } from '../world.ts';
import { complaintsOf } from '../yanglint.ts';

const tools = opensslAuthority();
const one = tools.issueCa({ subject: '/CN=one' });
const two = tools.issueCa({ subject: '/CN=two' });
after(() => tools.remove());

const monitoring = 'urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring';
const stateFilter = (inside = '') =>
  `<get><filter type="subtree"><netconf-state xmlns="${monitoring}">${inside}</netconf-state></filter></get>`;

describe('a reply', () => {
  let world: DatastoreWorld<MemoryEndpoints, MemoryClient>;
  let client: Client;
  beforeEach(async () => {
    world = memoryDatastore();
    client = world.client();
    const { pem } = await world.endpoints.generate(server('https'), csrParameters());
    const issued = certificateOf(tools.sign(pem, one));
    world.certificates.put(authority('truststore'), '1', one.pem);
    await client.edit(
      keys(key('https', certificate('leaf', cms(issued, one.certificate)))) +
        bags(
          bag(
            'web',
            `<description>&lt;web&gt;</description>${certificate('a "b"', cms(one.certificate))}`,
          ),
          bag('empty'),
        ),
    );
  });
  afterEach(() => {
    world.close();
    assert.deepEqual(complaintsOf(world.replies), []);
  });

  for (const format of ['cms', 'x509'] as const)
    it(`to get-config validates, with ${format} in cert-data`, async () => {
      world.format = format;
      const config = await client.config();
      assert.match(config, /^<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">/);
      const data = format === 'cms' ? cms(one.certificate) : bare(one.certificate);
      assert.ok(config.includes(`<cert-data>${data}</cert-data>`));
      assert.ok(!config.includes('netconf-state'));
      await client.edit(bags(bag('web', certificate('b', cms(two.certificate)))));
      assert.ok((await client.config()).includes(`<name>a "b"</name><cert-data>${data}<`));
    });

  it('to get validates, and has the state beside the configuration', async () => {
    const data = await client.rpc('<get/>');
    for (const root of ['<keystore', '<truststore', '<netconf-state'])
      assert.ok(data.includes(root));
  });

  it('has what a filter selects, with the keys of lists', async () => {
    const filtered = await client.config(
      `<truststore xmlns="${truststore}"><certificate-bags><certificate-bag><description/></certificate-bag></certificate-bags></truststore>`,
    );
    assert.ok(filtered.includes('<name>web</name><description>&lt;web&gt;</description>'));
    assert.ok(!filtered.includes('cert-data'));
    const named = await client.config(
      `<keystore xmlns="${keystore}"><asymmetric-keys><asymmetric-key><name>none</name></asymmetric-key></asymmetric-keys></keystore>`,
    );
    assert.equal(named, `<data xmlns="${baseNamespace}"/>`);
    assert.equal(await client.config(''), `<data xmlns="${baseNamespace}"/>`);
  });

  it('to what is no subtree filter, or no running configuration, is an error', async () => {
    const refusals: readonly [string, string][] = [
      ['<get><filter type="xpath" select="/x"/></get>', 'bad-attribute'],
      ['<get><filter select="/x"/></get>', 'unknown-attribute'],
      ['<get><filter>x</filter></get>', 'bad-element'],
      ['<get><source><running/></source></get>', 'unknown-element'],
      ['<get-config/>', 'missing-element'],
      ['<get-config><source><startup/></source></get-config>', 'operation-not-supported'],
    ];
    for (const [request, tag] of refusals)
      assert.equal((await client.refused(request)).tag, tag, request);
  });

  it('has no data of a manager that is away, but the state of the server', async () => {
    world.endpoints.isAvailable = false;
    const error = await client.refused('<get-config><source><running/></source></get-config>');
    assert.equal(error.tag, 'operation-failed');
    assert.match(error.message, /^unavailable/);
    assert.match(await client.rpc(stateFilter()), /<capability>/);
    world.endpoints.isAvailable = true;
  });

  it('has the sessions, the lock and the counters in its state', async () => {
    const other = world.client('ReadOnly');
    await client.rpc('<lock><target><running/></target></lock>');
    const state = await other.rpc(stateFilter());
    assert.match(state, /<locked-by-session>1<\/locked-by-session><locked-time>2/);
    assert.match(
      state,
      /<session-id>2<\/session-id><transport>netconf-tls<\/transport><username>the ReadOnly</,
    );
    assert.match(state, /<in-sessions>2<\/in-sessions>/);
    const selected = await other.rpc(
      stateFilter('<sessions><session><username/></session></sessions>'),
    );
    assert.match(
      selected,
      /<session><session-id>1<\/session-id><username>the Administrator<\/username><\/session>/,
    );
  });

  it('to get-schema is the text of each module that the state lists', async () => {
    const state = await client.rpc(stateFilter('<schemas/>'));
    const listed = [...state.matchAll(/<identifier>([^<]+)<\/identifier><version>([^<]+)</g)];
    assert.equal(listed.length, modules.length);
    for (const [, identifier = '', version] of listed) {
      const text = await client.rpc(
        `<get-schema xmlns="${monitoring}"><identifier>${identifier}</identifier><version>${version}</version><format>yang</format></get-schema>`,
      );
      assert.match(text, new RegExp(`^<data xmlns="${monitoring}">module ${identifier} \\{`));
    }
    const short = `<get-schema xmlns="${monitoring}"><identifier>ietf-keystore</identifier></get-schema>`;
    assert.match(await client.rpc(short), /module ietf-keystore/);
    for (const inside of [
      '<identifier>ietf-ip</identifier>',
      '<identifier>ietf-keystore</identifier><version>1</version>',
      '<identifier>ietf-keystore</identifier><format>yin</format>',
    ]) {
      const error = await client.refused(
        `<get-schema xmlns="${monitoring}">${inside}</get-schema>`,
      );
      assert.equal(error.tag, 'invalid-value');
    }
  });
});

describe('the capabilities', () => {
  it('are those of RFC 6241 that hold, and the modules with their features', () => {
    const world = memoryDatastore();
    const { capabilities } = world.datastore;
    world.close();
    assert.deepEqual(
      capabilities.map((one) => one.replace(/^urn:ietf:params:/, '')),
      [
        ...['netconf:base:1.0', 'netconf:base:1.1', 'netconf:capability:writable-running:1.0'],
        'netconf:capability:rollback-on-error:1.0',
        'xml:ns:netconf:base:1.0?module=ietf-netconf&revision=2011-06-01&features=writable-running,rollback-on-error',
        'xml:ns:yang:ietf-netconf-monitoring?module=ietf-netconf-monitoring&revision=2010-10-04',
        'xml:ns:yang:ietf-keystore?module=ietf-keystore&revision=2024-10-10&features=central-keystore-supported,asymmetric-keys',
        'xml:ns:yang:ietf-truststore?module=ietf-truststore&revision=2024-10-10&features=central-truststore-supported,certificates',
        'xml:ns:yang:ietf-crypto-types?module=ietf-crypto-types&revision=2024-10-10&features=hidden-private-keys',
      ],
    );
  });

  it('know every module that is shipped, each with the notice of its licence', () => {
    const folder = fileURLToPath(new URL('../../../schemas/yang', import.meta.url));
    const shipped = readdirSync(folder).map((name) => basename(name, '.yang'));
    const known = modules.map(({ name, revision }) => `${name}@${revision}`);
    assert.deepEqual(shipped.sort(), known.sort());
    for (const one of modules) {
      const text = yangText(one);
      assert.match(text, /Copyright \(c\) [\d -]+ IETF Trust and the persons/);
      assert.match(text, new RegExp(`namespace\\s+"${one.namespace}"`));
      assert.match(text, new RegExp(`revision "?${one.revision}"? `));
    }
    const notices = readFileSync(
      fileURLToPath(new URL('../../../scripts/licences/ietf-code-components.txt', import.meta.url)),
      'utf8',
    );
    for (const { name } of modules) assert.ok(notices.includes(name), name);
  });
});

describe('the validator of replies', () => {
  const rpc = `<rpc xmlns="${baseNamespace}" message-id="1"><get-config><source><running/></source></get-config></rpc>`;
  const reply = (inside: string) =>
    `<rpc-reply xmlns="${baseNamespace}" message-id="1"><data>${inside}</data></rpc-reply>`;

  it('complains of what the models do not have', () => {
    const faults = [
      bags('<colour/>'),
      bags(bag('web', certificate('a', '!!'))),
      `<truststore xmlns="${truststore}"><public-key-bags/></truststore>`,
      `<netconf-state xmlns="${monitoring}"/>`,
    ];
    assert.deepEqual(complaintsOf([{ rpc, reply: reply(bags(bag('web'))) }]), []);
    for (const fault of faults)
      assert.equal(complaintsOf([{ rpc, reply: reply(fault) }]).length, 1, fault);
  });
});
