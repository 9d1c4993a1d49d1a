import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { must, run } from '../e2e/commands.ts';

/** Text that openssl and certtool lay out over lines of their own, as one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** What `openssl req` says of a request. @throws when the signature on it is not good */
export async function describeByOpenssl(request: string): Promise<string> {
  const args = ['req', '-verify', '-noout', '-text', '-nameopt', 'sep_comma_plus,utf8'];
  return oneLine(await must('openssl', args, request));
}

/** What GnuTLS says of a request. @throws when the signature on it is not good */
export async function describeByCerttool(request: string): Promise<string> {
  const text = await must('certtool', ['--crq-info'], request);
  assert.match(text, /Self signature: verified/);
  return oneLine(text);
}

/** Whether a certificate is for a name: the option is `-checkhost`, `-checkip` or `-checkemail`. */
export async function isFor(path: string, option: string, name: string): Promise<boolean> {
  const text = await must('openssl', ['x509', '-noout', '-in', path, option, name]);
  return text.includes('does match');
}

/** Whether GnuTLS finds a way from the certificates of a file to a trust anchor. */
export async function isVerifiedByCerttool(path: string, anchor: string): Promise<boolean> {
  const args = ['--verify', '--load-ca-certificate', anchor, '--infile', path];
  const { status, stdout } = await run('certtool', args);
  return status === 0 && /Chain verification output: Verified/.test(stdout);
}

/**
 * What a GnuTLS client says of a TLS server for a name. certtool cannot be asked: it takes no anchor
 * that is not a CA, while clients take one that is the server's own certificate.
 */
export async function trustByGnutls(
  server: TlsOptions,
  anchor: string,
  host: string,
): Promise<string> {
  const listener = createServer(server, (socket) => {
    socket.on('error', () => undefined);
    socket.end();
  });
  // A client that does not trust the server hangs up in the middle of the handshake
  listener.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = listener.address() as AddressInfo;
    const options = [`--x509cafile=${anchor}`, `--verify-hostname=${host}`, '--port', String(port)];
    const { stdout, stderr } = await run('gnutls-cli', [...options, '127.0.0.1']);
    return /Status: .*/.exec(stdout)?.[0] ?? stderr;
  } finally {
    listener.close();
  }
}
