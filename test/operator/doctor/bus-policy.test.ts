import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  mayCall,
  mayOwn,
  parsePolicies,
  type Subject,
} from '../../../src/operator/doctor/bus-policy.ts';

const root: Subject = { kind: 'user', name: 'root' };
const edge: Subject = { kind: 'user', name: 'edge' };
const name = 'org.example.Manager.One';
const shared = 'org.example.Manager';

const policy = (who: string, ...rules: readonly string[]) =>
  `<busconfig><policy ${who}>${rules.join('\n')}</policy></busconfig>`;
const allow = (destination: string, more = '') =>
  `<allow send_destination="${destination}"${more}/>`;
const deny = (destination: string) => `<deny send_destination='${destination}'/>`;

describe('the policy of the bus lets a user call', () => {
  const rows: readonly (readonly [what: string, text: string, answer: boolean])[] = [
    ['no name without a rule', '', false],
    ['a name of a rule for the user', policy('user="edge"', allow(name)), true],
    ['a further name of the same connection', policy('user="edge"', allow(shared)), true],
    ['no other name', policy('user="edge"', allow('org.example.Other')), false],
    ['no name of a rule for another user', policy('user="other"', allow(name)), false],
    ['no name of a rule for a group of that name', policy('group="edge"', allow(name)), false],
    ['a name of a rule for all', policy('context="default"', allow(name)), true],
    ['every name', policy("user='edge'", allow('*')), true],
    ['no name of a later denial', policy('user="edge"', allow(name), deny(name)), false],
    ['a name of a later permission', policy('user="edge"', deny(name), allow(name)), true],
    [
      'a name that is denied to all others, whatever the order of the files',
      policy('user="edge"', allow(name)) + policy('context="default"', deny(name)),
      true,
    ],
    [
      'no name that is denied for good',
      policy('context="mandatory"', deny(name)) + policy('user="edge"', allow(name)),
      false,
    ],
    ['no name of a rule in a comment', policy('user="edge"', `<!-- ${allow(name)} -->`), false],
    [
      'not every method by a rule for one interface',
      policy('user="edge"', allow(name, ' send_interface="a.B"')),
      false,
    ],
    [
      'a name of a rule for calls',
      policy('user="edge"', allow(name, ' send_type="method_call"')),
      true,
    ],
    [
      'no name of a rule for signals',
      policy('user="edge"', allow(name, ' send_type="signal"')),
      false,
    ],
    ['no name of a file that is no policy', 'edge may do <anything', false],
  ];
  for (const [what, text, answer] of rows) {
    it(what, () => assert.equal(mayCall(parsePolicies(text), edge, [shared, name]), answer));
  }
});

describe('the policy of the bus lets a user own', () => {
  const rows: readonly (readonly [what: string, rule: string, answer: boolean])[] = [
    ['no name without a rule', '', false],
    ['a name', `<allow own="${name}"/>`, true],
    ['every name', '<allow own="*"/>', true],
    ['the names below a name', `<allow own_prefix="${shared}"/>`, true],
    ['the name of a prefix itself', `<allow own_prefix="${name}"/>`, true],
    ['no name that merely begins so', '<allow own_prefix="org.example.Man"/>', false],
    ['no name that is denied', `<allow own="*"/><deny own="${name}"/>`, false],
  ];
  for (const [what, rule, answer] of rows) {
    it(what, () => {
      const policies = parsePolicies(policy('user="root"', rule));
      assert.equal(mayOwn(policies, root, name), answer);
    });
  }
});

describe('our own policy', () => {
  const file = new URL('../../../systemd/bmc-certificate-manager.conf', import.meta.url);
  const policies = parsePolicies(readFileSync(file, 'utf8'));
  const manager = 'xyz.openbmc_project.Certs.Manager';

  it('lets root own the names of all endpoints, and the Redfish service call them', () => {
    assert.ok(mayOwn(policies, root, manager));
    assert.ok(mayOwn(policies, root, `${manager}.Server.Anything`));
    assert.ok(mayCall(policies, { kind: 'user', name: 'bmc-redfish' }, [manager]));
    assert.ok(!mayCall(policies, { kind: 'user', name: 'nobody' }, [manager]));
  });
});
