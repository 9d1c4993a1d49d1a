import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import type { MemoryClient } from '../../fakes/memory-client.ts';
import type { MemoryEndpoints } from '../../fakes/memory-endpoints.ts';
import { certificateOf, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { pairOf } from '../../fakes/replacement-device.ts';
import { authority, server } from '../../fakes/run-time-device.ts';
import {
  type Attributes,
  bag,
  bags,
  bare,
  certificate,
  cms,
  key,
  keys,
  keystore,
  truststore,
} from '../messages.ts';
import { type Client, type DatastoreWorld, memoryDatastore, said } from '../world.ts';

const tools = opensslAuthority();
const [one, two, three] = ['one', 'two', 'three'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
);
after(() => tools.remove());
if (!one || !two || !three) throw new TypeError('three CAs are made');
const leaf = tools.issue({ issuer: one, subject: '/CN=leaf' });

let world: DatastoreWorld<MemoryEndpoints, MemoryClient>;
let client: Client;
beforeEach(() => {
  world = memoryDatastore();
  client = world.client();
});
afterEach(() => world.close());

/** What is there: `bag: name=subject …`. */
const shown = () =>
  world.endpoints
    .list()
    .map(({ type, name, certificates }) =>
      [
        `${type} ${name}:`,
        ...certificates.map(({ certificate: { fingerprint } }) => nameOf(fingerprint)),
      ].join(' '),
    );
const nameOf = (fingerprint: string) =>
  Object.entries({ one, two, three, leaf }).find(
    ([, { certificate: known }]) => known.fingerprint === fingerprint,
  )?.[0] ?? 'unknown';

const path = {
  bag: (name: string) => `/p1:truststore/p1:certificate-bags/p1:certificate-bag[p1:name='${name}']`,
  key: (name: string) => `/p1:keystore/p1:asymmetric-keys/p1:asymmetric-key[p1:name='${name}']`,
};
const member = (name: string) => `/p1:certificate[p1:name='${name}']`;

describe('edit-config of bags', () => {
  const first = certificate('ca', cms(one.certificate));
  const held = () => client.edit(bags(bag('web', first)));

  it('makes one with its certificates, under the names that the client gives', async () => {
    await client.edit(
      bags(
        bag(
          'web',
          certificate('a', cms(one.certificate)) + certificate('b', bare(two.certificate)),
        ),
      ),
    );
    assert.deepEqual(shown(), ['authority web: one two']);
    for (const restarted of [false, true]) {
      if (restarted) world.restart();
      const config = await client.config();
      assert.ok(config.includes(certificate('a', cms(one.certificate))), config);
      assert.ok(config.includes(certificate('b', cms(two.certificate))), config);
    }
  });

  it('knows a chain as one certificate of the bag', async () => {
    await client.edit(
      bags(bag('web', certificate('chain', cms(two.certificate, one.certificate)))),
    );
    assert.deepEqual(shown()[0]?.split(' ').slice(2).sort(), ['one', 'two']);
    const config = await client.config();
    assert.ok(config.includes(certificate('chain', cms(one.certificate, two.certificate))));
    assert.equal(config.split('<certificate>').length, 2);
  });

  it('keeps its description', async () => {
    const about = '<description>for the web</description>';
    await client.edit(bags(bag('web', about)));
    assert.deepEqual(shown(), ['authority web:']);
    world.restart();
    assert.ok((await client.config()).includes(about));
    await client.edit(bags(bag('web', '<description/>', 'replace')));
    assert.ok((await client.config()).includes('<description/>'));
  });

  const changes: readonly [string, string, readonly string[]][] = [
    ['merge adds to it', bag('web', certificate('b', cms(two.certificate))), ['one two']],
    [
      'create adds to it',
      bag('web', certificate('b', cms(two.certificate), 'create')),
      ['one two'],
    ],
    [
      'merge replaces the certificate of a name',
      bag('web', certificate('ca', cms(two.certificate))),
      ['two'],
    ],
    [
      'replace takes the place of all',
      bag('web', certificate('b', cms(two.certificate)), 'replace'),
      ['two'],
    ],
    ['delete takes one out of it', bag('web', certificate('ca', '', 'delete')), ['']],
    ['remove takes one out of it', bag('web', certificate('ca', '', 'remove')), ['']],
    [
      'remove of what is not there does nothing',
      bag('web', certificate('b', '', 'remove')),
      ['one'],
    ],
    ['delete takes it away', bag('web', '', 'delete'), []],
    ['replace with nothing empties it', bag('web', '', 'replace'), ['']],
    [
      'a certificate may be renamed',
      bag('web', certificate('ca', '', 'delete') + certificate('b', cms(one.certificate))),
      ['one'],
    ],
  ];
  for (const [what, change, wanted] of changes)
    it(what, async () => {
      await held();
      await client.edit(bags(change));
      const members = shown().map((line) => line.replace(/^authority web: ?/, ''));
      assert.deepEqual(members, wanted);
    });

  it('replaces all that there is by default-operation replace', async () => {
    await held();
    const parameters = '<default-operation>replace</default-operation>';
    await client.edit(bags(bag('other', certificate('b', cms(two.certificate)))), parameters);
    assert.deepEqual(shown(), ['authority other: two']);
  });

  it('does only what an element asks for by default-operation none', async () => {
    await held();
    const parameters = '<default-operation>none</default-operation>';
    await client.edit(
      bags(bag('web', certificate('b', cms(two.certificate), 'create'))),
      parameters,
    );
    assert.deepEqual(shown(), ['authority web: one two']);
    const error = await client.refusedEdit(bags(bag('other')), parameters);
    assert.deepEqual(said(error), { tag: 'data-missing', path: path.bag('other') });
  });

  it('does nothing for what is there already', async () => {
    await held();
    const modified = world.endpoints.find(authority('web'))?.modified;
    await client.edit(bags(bag('web', certificate('ca', bare(one.certificate)))));
    assert.equal(world.endpoints.find(authority('web'))?.modified, modified);
  });

  it('changes several at once, or none', async () => {
    await held();
    await client.edit(
      bags(
        bag('web', '', 'delete'),
        bag('a', certificate('x', cms(two.certificate))),
        bag('b', certificate('y', cms(three.certificate))),
      ),
    );
    assert.deepEqual(shown(), ['authority a: two', 'authority b: three']);
    world.endpoints.commitRefusal = new CertError('storage', 'the disk is full');
    const error = await client.refusedEdit(
      bags(bag('a', '', 'delete'), bag('b', certificate('y', cms(one.certificate)))),
    );
    assert.deepEqual(said(error), { tag: 'operation-failed', path: undefined });
    assert.match(error.message, /^storage: the disk is full/);
    assert.deepEqual(shown(), ['authority a: two', 'authority b: three']);
    assert.deepEqual(world.endpoints.open, []);
    assert.ok((await client.config()).includes(certificate('y', cms(three.certificate))));
  });

  type Refusal = readonly [string, string, { tag: string; path: string | undefined }];
  const operations: readonly [Attributes, string][] = [
    ['create', 'data-exists'],
    ['delete', 'data-missing'],
  ];
  const refusals: readonly Refusal[] = [
    ...operations.map(
      ([operation, tag]): Refusal => [
        `${operation} of a bag that is ${operation === 'create' ? '' : 'not '}there`,
        bags(bag(operation === 'create' ? 'web' : 'none', '', operation)),
        { tag, path: path.bag(operation === 'create' ? 'web' : 'none') },
      ],
    ),
    [
      'create of a certificate that is there',
      bags(bag('web', certificate('ca', cms(two.certificate), 'create'))),
      { tag: 'data-exists', path: path.bag('web') + member('ca') },
    ],
    [
      'delete of a certificate that is not there',
      bags(bag('web', certificate('b', '', 'delete'))),
      { tag: 'data-missing', path: path.bag('web') + member('b') },
    ],
    [
      'a certificate without data',
      bags(bag('web', certificate('b', ''))),
      { tag: 'missing-element', path: path.bag('web') + member('b') },
    ],
    [
      'what is no base64',
      bags(bag('web', certificate('b', '!!'))),
      { tag: 'invalid-value', path: `${path.bag('web')}${member('b')}/p1:cert-data` },
    ],
    [
      'what is no certificate',
      bags(bag('web', certificate('b', 'AAAA'))),
      { tag: 'invalid-value', path: path.bag('web') + member('b') },
    ],
    [
      'the same certificate twice',
      bags(bag('web', certificate('b', cms(one.certificate)))),
      { tag: 'invalid-value', path: path.bag('web') + member('b') },
    ],
    [
      'a bag without name',
      bags('<certificate-bag/>'),
      { tag: 'missing-element', path: '/p1:truststore/p1:certificate-bags/p1:certificate-bag' },
    ],
    [
      'an unknown element',
      bags(bag('web', '<colour>red</colour>')),
      { tag: 'unknown-element', path: path.bag('web') },
    ],
    [
      'another part of the model',
      `<truststore xmlns="${truststore}"><public-key-bags/></truststore>`,
      { tag: 'unknown-element', path: '/p1:truststore' },
    ],
    ['an unknown namespace', '<x xmlns="urn:x"/>', { tag: 'unknown-namespace', path: undefined }],
    [
      'an unknown operation',
      bags(
        bag('web').replace(
          '>',
          ' xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="change">',
        ),
      ),
      { tag: 'bad-attribute', path: path.bag('web') },
    ],
    [
      'operation without its namespace',
      bags(bag('web').replace('>', ' operation="delete">')),
      { tag: 'unknown-attribute', path: path.bag('web') },
    ],
    [
      'text where elements belong',
      `<truststore xmlns="${truststore}">x</truststore>`,
      { tag: 'bad-element', path: '/p1:truststore' },
    ],
    [
      'a container twice',
      bags(bag('web')) + bags(),
      { tag: 'bad-element', path: '/p1:truststore' },
    ],
    [
      'a bag twice',
      bags(bag('new'), bag('new', '', 'delete')),
      { tag: 'bad-element', path: path.bag('new') },
    ],
    [
      'a certificate twice',
      bags(bag('web', certificate('ca', '', 'delete') + certificate('ca', cms(two.certificate)))),
      { tag: 'bad-element', path: path.bag('web') + member('ca') },
    ],
    [
      'elements where text belongs',
      bags(bag('web', '<description><x/></description>')),
      { tag: 'bad-element', path: `${path.bag('web')}/p1:description` },
    ],
  ];
  for (const [what, config, wanted] of refusals)
    it(`refuses ${what}, and changes nothing`, async () => {
      await held();
      const error = await client.refusedEdit(config);
      assert.deepEqual(said(error), wanted);
      assert.deepEqual(shown(), ['authority web: one']);
      assert.deepEqual(world.endpoints.open, []);
    });

  it('leaves those of the configuration as they are', async () => {
    world.certificates.put(authority('truststore'), '1', one.pem);
    const name = 'truststore';
    assert.ok((await client.config()).includes(`<name>${name}</name>`));
    for (const change of [
      bag(name, '', 'delete'),
      bag(name, certificate('b', cms(two.certificate))),
    ]) {
      const error = await client.refusedEdit(bags(change));
      assert.deepEqual(said(error), { tag: 'access-denied', path: path.bag(name) });
    }
    await client.edit(bags(bag(name, certificate('1', cms(one.certificate)))));
    const parameters = '<default-operation>replace</default-operation>';
    const error = await client.refusedEdit(bags(), parameters);
    assert.equal(error.tag, 'access-denied');
  });

  it('refuses to shut the client of its own session out', async () => {
    await held();
    world.letsIn = (changed) => (changed.get('web') ?? [one.certificate]).length > 0;
    for (const change of [bag('web', '', 'delete'), bag('web', '', 'replace')]) {
      const error = await client.refusedEdit(bags(change));
      assert.deepEqual(said(error), { tag: 'operation-failed', path: path.bag('web') });
      assert.equal(error.appTag, 'self-lockout');
      assert.match(error.message, /would not be let in any more/);
    }
    assert.deepEqual(shown(), ['authority web: one']);
    await client.edit(bags(bag('web', certificate('ca', cms(two.certificate)))));
  });

  it('does not lose what others did at the same time', async () => {
    await held();
    const stage = world.endpoints.stage.bind(world.endpoints);
    let isFirst = true;
    world.endpoints.stage = async (parts, seconds) => {
      if (isFirst) {
        isFirst = false;
        const other = await stage([
          { endpoint: authority('web'), create: false, content: pemContent(three.pem) },
        ]);
        await world.endpoints.activate(other);
        await world.endpoints.commit(other);
      }
      return stage(parts, seconds);
    };
    const change = bags(bag('web', certificate('b', cms(two.certificate))));
    const error = await client.refusedEdit(change);
    assert.deepEqual(said(error), { tag: 'in-use', path: path.bag('web') });
    assert.deepEqual(shown(), ['authority web: three']);
    await client.edit(change);
    assert.deepEqual(shown(), ['authority web: three two']);
  });

  it('undoes what is under way when the session ends', async () => {
    await held();
    const activate = world.endpoints.activate.bind(world.endpoints);
    world.endpoints.activate = async (replacement) => {
      await activate(replacement);
      void world.sessions.terminate(client.session.id, 'dropped');
    };
    await client.refusedEdit(bags(bag('web', '', 'delete')));
    assert.deepEqual(shown(), ['authority web: one']);
    assert.deepEqual(world.endpoints.open, []);
  });

  it('says that the outcome is not known where the manager goes in the middle of the commit', async () => {
    await held();
    world.endpoints.commit = async () => {
      world.endpoints.isAvailable = false;
      throw new CertError('no-answer', 'the manager ended');
    };
    const error = await client.refusedEdit(bags(bag('web', '', 'delete')));
    assert.match(error.message, /not known: read the configuration$/);
  });

  for (const [code, tag] of [
    ['replacement-in-progress', 'in-use'],
    ['access-denied', 'access-denied'],
    ['limit-reached', 'resource-denied'],
    ['not-a-ca', 'invalid-value'],
  ] as const)
    it(`answers ${tag} where the manager answers ${code}`, async () => {
      world.endpoints.stage = async () => {
        throw new CertError(code, 'the manager says so');
      };
      const error = await client.refusedEdit(bags(bag('web', first)));
      assert.deepEqual(said(error), { tag, path: path.bag('web') });
      assert.equal(error.message, `${code}: the manager says so`);
    });
});

describe('edit-config of keys', () => {
  const install = async () => {
    const replacement = await world.endpoints.stage([
      { endpoint: server('https'), create: true, content: pemContent(pairOf(leaf)) },
    ]);
    await world.endpoints.activate(replacement);
    await world.endpoints.commit(replacement);
  };
  /** A certificate for a new key of an endpoint. */
  const issueFor = async (name: string) => {
    const { pem } = await world.endpoints.generate(server(name), csrParameters());
    return certificateOf(tools.sign(pem, one));
  };

  it('installs the certificate for a key that waits', async () => {
    const issued = await issueFor('https');
    await client.edit(keys(key('https', certificate('leaf', cms(issued, one.certificate)))));
    const config = await client.config();
    const spki = issued.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    assert.ok(config.includes(`<public-key>${spki}</public-key><hidden-private-key/>`), config);
    assert.ok(config.includes(certificate('leaf', cms(issued, one.certificate))), config);
    assert.equal(world.endpoints.waiting, 0);
  });

  it('refuses cert-data with certificates that are not of its chain', async () => {
    await install();
    const issued = await issueFor('https');
    const at = "/p1:certificates/p1:certificate[p1:name='1']";
    for (const spurious of [leaf.certificate, two.certificate]) {
      const data = cms(issued, one.certificate, spurious);
      const error = await client.refusedEdit(keys(key('https', certificate('1', data))));
      assert.equal(error.tag, 'invalid-value');
      assert.ok(error.path?.expression.endsWith(at), error.path?.expression);
    }
    await client.edit(keys(key('https', certificate('1', cms(one.certificate, issued, issued)))));
  });

  it('has a new key in service with the certificate for it', async () => {
    await install();
    const issued = await issueFor('https');
    await client.edit(keys(key('https', certificate('1', cms(issued)))));
    const spki = issued.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    assert.ok((await client.config()).includes(spki));
  });

  it('takes a public key that is the one of the certificate', async () => {
    const issued = await issueFor('https');
    const spki = (of: typeof issued) =>
      of.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const format =
      '<public-key-format xmlns:ct="urn:ietf:params:xml:ns:yang:ietf-crypto-types">ct:subject-public-key-info-format</public-key-format>';
    const edit = (publicKey: string, more = format) =>
      keys(
        key(
          'https',
          certificate('leaf', cms(issued)),
          undefined,
          `${more}<public-key>${publicKey}</public-key><hidden-private-key/>`,
        ),
      );
    const other = await client.refusedEdit(edit(spki(one.certificate)));
    assert.deepEqual(said(other), { tag: 'invalid-value', path: path.key('https') });
    const unknown = await client.refusedEdit(
      edit(spki(issued), format.replace('subject-public-key-info', 'ssh-public-key')),
    );
    assert.deepEqual(said(unknown), { tag: 'invalid-value', path: path.key('https') });
    await client.edit(edit(spki(issued)));
  });

  it('takes a key away with its certificate, and not one without the other', async () => {
    await install();
    const certificateAlone = await client.refusedEdit(
      keys(key('https', certificate('1', '', 'delete'))),
    );
    assert.deepEqual(said(certificateAlone), { tag: 'operation-failed', path: path.key('https') });
    await client.edit(keys(key('https', '', 'delete')));
    assert.deepEqual(shown(), []);
  });

  it('leaves one that a service reads from', async () => {
    await install();
    await world.endpoints.bind('netconf', server('https'));
    const error = await client.refusedEdit(keys(key('https', '', 'delete')));
    assert.deepEqual(said(error), { tag: 'in-use', path: path.key('https') });
    assert.match(error.message, /netconf/);
  });

  it('makes no key, and takes no private one', async () => {
    const made = await client.refusedEdit(keys(key('new')));
    assert.deepEqual(said(made), { tag: 'operation-failed', path: path.key('new') });
    const foreign = await client.refusedEdit(
      keys(key('new', certificate('leaf', cms(leaf.certificate)))),
    );
    assert.equal(foreign.tag, 'invalid-value');
    assert.match(foreign.message, /^key-mismatch/);
    const clear = await client.refusedEdit(
      keys(key('new', '', undefined, '<cleartext-private-key>AAAA</cleartext-private-key>')),
    );
    assert.deepEqual(said(clear), { tag: 'unknown-element', path: path.key('new') });
    assert.deepEqual(shown(), []);
  });

  it('has one certificate for each', async () => {
    await install();
    const issued = await issueFor('https');
    const error = await client.refusedEdit(keys(key('https', certificate('second', cms(issued)))));
    assert.equal(error.appTag, 'too-many-elements');
    await client.edit(
      keys(key('https', certificate('1', '', 'delete') + certificate('second', cms(issued)))),
    );
    assert.ok((await client.config()).includes('<name>second</name>'));
  });

  it('changes keys and bags together', async () => {
    const issued = await issueFor('https');
    await client.edit(
      keys(key('https', certificate('leaf', cms(issued)))) +
        bags(bag('web', certificate('ca', cms(one.certificate)))),
    );
    assert.deepEqual(shown(), ['authority web: one', 'server https: unknown']);
    assert.ok(!(await client.config()).includes('PRIVATE'));
  });

  it('shows those of the configuration, and of clients', async () => {
    world.certificates.put(server('redfish'), '1', leaf.pem);
    const replacement = await world.endpoints.stage([
      {
        ...{ endpoint: { type: 'client', name: 'ldap' }, create: true },
        content: pemContent(pairOf(leaf)),
      },
    ]);
    await world.endpoints.activate(replacement);
    await world.endpoints.commit(replacement);
    const config = await client.config(`<keystore xmlns="${keystore}"/>`);
    assert.deepEqual(
      [...config.matchAll(/<asymmetric-key><name>([^<]+)/g)].map(([, name]) => name),
      ['redfish', 'client/ldap'],
    );
    await client.edit(keys(key('client/ldap', '', 'delete')));
    assert.deepEqual(shown(), []);
  });
});

describe('the parameters of edit-config', () => {
  const refusals: readonly [string, string, string][] = [
    ['no target', '<config/>', 'missing-element'],
    ['no config', '<target><running/></target>', 'missing-element'],
    ['the candidate', '<target><candidate/></target><config/>', 'operation-not-supported'],
    ['an unknown datastore', '<target><other/></target><config/>', 'unknown-element'],
    ['a url', '<target><running/></target><url>http://x</url>', 'unknown-element'],
    [
      'test-option, which is of :validate',
      '<target><running/></target><test-option>set</test-option><config/>',
      'unknown-element',
    ],
    [
      'continue-on-error',
      '<target><running/></target><error-option>continue-on-error</error-option><config/>',
      'operation-not-supported',
    ],
    [
      'an unknown error-option',
      '<target><running/></target><error-option>x</error-option><config/>',
      'invalid-value',
    ],
    [
      'an unknown default-operation',
      '<target><running/></target><default-operation>delete</default-operation><config/>',
      'invalid-value',
    ],
    [
      'a foreign parameter',
      '<target><running/></target><x xmlns="urn:x"/><config/>',
      'unknown-namespace',
    ],
    ['config twice', '<target><running/></target><config/><config/>', 'bad-element'],
  ];
  for (const [what, parameters, tag] of refusals)
    it(`refuses ${what}`, async () => {
      const error = await client.refused(`<edit-config>${parameters}</edit-config>`);
      assert.equal(error.tag, tag);
    });

  for (const option of ['stop-on-error', 'rollback-on-error'])
    it(`knows ${option}`, async () => {
      await client.edit('', `<error-option>${option}</error-option>`);
    });
});
