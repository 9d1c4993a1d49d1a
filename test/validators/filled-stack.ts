import assert from 'node:assert/strict';
import { makeAuthority, type TestAuthority } from '../e2e/certificate-authority.ts';
import { curl, logIn } from '../e2e/redfish-client.ts';
import {
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';

export const collections = {
  https: '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates',
  ldap: '/redfish/v1/AccountService/LDAP/Certificates',
  truststore: '/redfish/v1/Managers/bmc/Truststore/Certificates',
} as const;

/** A running stack with a certificate at every place, and a folder for reports beside it. */
export interface FilledStack {
  readonly stack: RunningStack;
  readonly authority: TestAuthority;
  readonly folder: string;
  close(): Promise<void>;
}

export async function startFilledStack(): Promise<FilledStack> {
  const state = temporaryDirectory();
  const folder = temporaryDirectory();
  const stack = await startStack(state);
  const authority = await makeAuthority(folder, 'validators-ca');
  const client = await authority.issue('ldap.example', [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ]);
  const token = await logIn(stack.url, stack.password);
  const uploads = [
    [collections.ldap, `${client.key}${client.pem}`],
    [collections.truststore, authority.pem],
  ] as const;
  for (const [path, body] of uploads) {
    const headers = ['Content-Type: application/x-pem-file'];
    const { status, text } = await curl(`${stack.url}${path}`, {
      ...{ method: 'POST', token, headers, body },
    });
    assert.equal(status, 201, text);
  }
  return {
    stack,
    authority,
    folder,
    async close() {
      await stack.stop();
      removeDirectory(state);
      removeDirectory(folder);
    },
  };
}
