import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import { makeAuthority } from '../e2e/certificate-authority.ts';
import { must } from '../e2e/commands.ts';
import { csrParameters, makeWorld } from '../fakes/manager-world.ts';
import { full, keyCases } from './full-csr.ts';

describe('a certificate that was made of a request', () => {
  for (const { what, given } of keyCases) {
    it(`is installed with the waiting key: ${what}`, async () => {
      const world = makeWorld();
      try {
        const path = join(world.directory, 'client', 'cert.pem');
        const definition = { type: 'client', name: 'ldap', path, reload: [] } as const;
        const endpoint = new CredentialEndpoint(definition, world.dependencies);
        await endpoint.start();
        const parameters = csrParameters({ KeyPairAlgorithm: '', ...full, ...given });
        const request = await endpoint.requests.make(parameters);
        const authority = await makeAuthority(world.directory, 'Interop CA');
        const certificate = await authority.sign(request);
        const installed = await endpoint.install(certificate + authority.pem);
        assert.deepEqual(installed.certificate.pem, certificate);
        await must('openssl', ['verify', '-CAfile', authority.path, path]);
        const ofKey = await must('openssl', ['pkey', '-pubout', '-in', path]);
        assert.equal(await must('openssl', ['x509', '-noout', '-pubkey', '-in', path]), ofKey);
      } finally {
        world.remove();
      }
    });
  }
});
