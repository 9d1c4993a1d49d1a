import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeProgram } from '../../../src/bin/bmc-certs.ts';
import { commandsOf } from '../../../src/operator/framework/command.ts';
import { findRequest } from '../../../src/operator/framework/parse.ts';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import { type CmpAgentProcess, deadEnrolment, startCmpAgent } from '../../fakes/cmp-agent.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { type BundlesOnBus, bundlesOnBus } from '../../fakes/served-bundle.ts';

let world: OperatorWorld;
let accounts: AccountManagerProcess;
let agent: CmpAgentProcess;
let bundles: BundlesOnBus;
before(async () => {
  world = await operatorWorld({ ...deadEnrolment, services: [{ name: 'gnoi', reload: [] }] });
  accounts = await startAccountManager(world.configuration);
  agent = await startCmpAgent(world.configuration);
  bundles = await bundlesOnBus(world.bus.address);
});
after(async () => {
  bundles?.objects.close();
  await agent?.stop();
  await accounts?.stop();
  await world?.close();
});

/** Command lines in an order in which each finds what it needs; words in capitals are put in. */
const lines = [
  'list',
  'show server/https',
  'csr server/https --name bmc',
  'requests',
  'discard server/https ID',
  'install client/ldap PAIR',
  'replace client/ldap PAIR',
  'show PAIR',
  'renew client/ldap',
  'renew client/ldap --if-due --days 9999',
  'rekey client/ldap',
  'stage server/https PAIR',
  'activate server/https',
  'commit server/https',
  'stage server/https PAIR',
  'rollback server/https',
  'trust add CA',
  'trust list',
  'trust remove 1',
  'trust replace CA',
  'status',
  'reload server/https',
  'check -w 0 -c 0',
  'doctor --config CONFIGURATION',
  'delete client/ldap',
  'completion zsh',
  'user list',
  'user add alice --password-file PASSWORD',
  'user role alice Operator',
  'user unlock alice',
  'user remove alice',
  'endpoint add server/gnoi-1',
  'endpoint list',
  'bindings',
  'bind gnoi server/gnoi-1',
  'unbind gnoi',
  'endpoint remove server/gnoi-1',
  'endpoint add authority/gnoi-ca-bundle',
  'gnoi clear-bundle',
  'bundle status',
  'bundle check-server',
  'bundle download',
  'bundle load there default',
  'bundle groups',
  'bundle members there',
  'bundle deactivate',
  'bundle activate',
  'bundle set-url http://a.example/cacert',
  'bundle set-interval 48',
  'bundle set-routing-instance addr:192.0.2.7',
  'bundle reset url',
  'enrol status',
  'enrol ca lab',
  'enrol show-request',
  'enrol abort',
];

/** They go on until they are ended, ask a CA or the service of an edge, or have a test of their own. */
const others = [
  ...['watch', 'set-password', 'up', 'enrol now', 'bundle publish'],
  ...['gnoi status', 'gnoi extend'],
  ...['status', 'sessions', 'refused', 'explain', 'trace'].map((name) => `netconf ${name}`),
  ...['identities', 'add-identity', 'remove-identity'].map((name) => `netconf ${name}`),
  ...['default-identity', 'reset-identities'].map((name) => `netconf ${name}`),
];

describe('--json', () => {
  it('is tried with every command', () => {
    const program = makeProgram();
    const tried = lines.map((line) => {
      const request = findRequest(program, line.split(' '));
      return request.kind === 'run' ? request.command.name : '';
    });
    const names = commandsOf(program).map(({ name }) => name);
    assert.deepEqual([...new Set([...tried, ...others])].sort(), names.sort());
  });

  it('has the members that are declared, in every command', async () => {
    const { authority, configuration } = world;
    const ca = authority.issueCa();
    const { key, pem } = authority.issue({ issuer: ca, subject: '/CN=bmc' });
    const pair = authority.write('pair.pem', key + pem);
    const password = authority.write('password', 'correct horse battery');
    let id = '';
    for (const line of lines) {
      const values = new Map([
        ['PAIR', pair],
        ['CA', ca.path],
        ['CONFIGURATION', configuration],
        ['ID', id],
        ['PASSWORD', password],
      ]);
      const words = line.split(' ').map((word) => values.get(word) ?? word);
      const answer = await world.json(...words);
      if (line === 'requests') id = Object(answer)[0].id;
      assert.notEqual(answer, undefined, line);
    }
  });
});
