import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { EndpointType } from '../../src/manager/endpoint-definition.ts';
import { AuthorityEndpoint } from '../../src/manager/truststore/authority-endpoint.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { makeWorld, type World } from '../fakes/manager-world.ts';
import { type OpensslAuthority, opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

describe('an endpoint whose configuration lets a certificate have two alternative names', () => {
  let authority: OpensslAuthority;
  let world: World;

  before(() => {
    authority = opensslAuthority();
  });
  after(() => authority.remove());
  beforeEach(() => {
    const content = { ...usualLimits, alternativeNames: 2 };
    world = makeWorld({ limits: { content }, checks: { requireCa: false } });
  });
  afterEach(() => world.remove());

  const start = async (type: EndpointType, from = world.dependencies) => {
    const definition = { type, name: 'x', path: join(world.directory, 'x'), reload: [] };
    const endpoint =
      type === 'authority'
        ? new AuthorityEndpoint(definition, from)
        : new CredentialEndpoint(definition, from);
    await endpoint.start();
    return endpoint;
  };
  const named = (...names: readonly string[]) => {
    const extensions = [`subjectAltName=${names.map((name) => `DNS:${name}`).join()}`];
    const { key, pem } = authority.issue({ extensions });
    return { client: key + pem, authority: pem };
  };

  for (const type of ['client', 'authority'] as const) {
    it(`takes one with two, and refuses one with three (${type})`, async () => {
      const endpoint = await start(type);
      const tooMany = refusal('certificate-malformed', /more than 2 alternative names/);
      await assert.rejects(endpoint.install(named('a', 'b', 'c')[type]), tooMany);
      await endpoint.install(named('a', 'b')[type]);
      endpoint.stop();
    });

    it(`does not serve one with three that was put in service before (${type})`, async () => {
      const { limits, ...others } = world.dependencies;
      const before = await start(type, { ...others, limits: { ...limits, content: usualLimits } });
      await before.install(named('a', 'b', 'c')[type]);
      before.stop();
      const endpoint = await start(type);
      assert.deepEqual(endpoint.list(), []);
      endpoint.stop();
    });
  }
});
