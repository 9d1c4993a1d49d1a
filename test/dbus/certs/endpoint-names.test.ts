import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  busName,
  type EndpointName,
  parseBusName,
  rootPath,
} from '../../../src/dbus/certs/endpoint-names.ts';

const names: readonly (readonly [EndpointName, string, string])[] = [
  [{ type: 'server', name: 'https' }, 'Server.Https', 'server/https'],
  [{ type: 'client', name: 'ldap' }, 'Client.Ldap', 'client/ldap'],
  [{ type: 'authority', name: 'truststore' }, 'Authority.Truststore', 'authority/truststore'],
  // Only the first letter is raised
  [{ type: 'server', name: 'gnmiTarget_2' }, 'Server.GnmiTarget_2', 'server/gnmiTarget_2'],
  [{ type: 'client', name: '_x' }, 'Client._x', 'client/_x'],
];

describe('an endpoint on the bus', () => {
  for (const [endpoint, name, path] of names) {
    it(`${endpoint.type}/${endpoint.name} is ${name}`, () => {
      assert.equal(busName(endpoint), `xyz.openbmc_project.Certs.Manager.${name}`);
      assert.equal(rootPath(endpoint), `/xyz/openbmc_project/certs/${path}`);
      assert.deepEqual(parseBusName(busName(endpoint)), endpoint);
    });
  }

  const others = [
    '',
    ':1.5',
    'org.freedesktop.DBus',
    'xyz.openbmc_project.Certs.Manager',
    'xyz.openbmc_project.Certs.Manager.Server',
    'xyz.openbmc_project.Certs.Manager.Server.',
    'xyz.openbmc_project.Certs.Manager.Router.Https',
    'xyz.openbmc_project.Certs.Manager.server.Https',
    'xyz.openbmc_project.Certs.Manager.Server.Https.More',
    'xyz.openbmc_project.Certs.ManagerX.Server.Https',
    'xyz.openbmc_project.Certs.ca.authority.Manager',
  ];
  for (const name of others) {
    it(`is not behind the name "${name}"`, () => {
      assert.equal(parseBusName(name), undefined);
    });
  }
});
