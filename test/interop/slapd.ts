import { join } from 'node:path';
import { writeText } from '../e2e/certificate-authority.ts';
import { background, until } from '../e2e/commands.ts';
import { freePort } from '../fakes/free-port.ts';

/** A real OpenLDAP server that takes nobody without a certificate. Debian's has its TLS from GnuTLS. */
export interface Slapd {
  readonly url: string;
  /** What it has logged since it started. */
  output(): string;
  /** Ends and starts it, which is how it reads its files again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SlapdFiles {
  /** For its configuration. */
  readonly directory: string;
  /** Key and certificate in one. */
  readonly pem: string;
  /** Those whose certificates it takes from clients. */
  readonly authorities: string;
}

export async function startSlapd({ directory, pem, authorities }: SlapdFiles): Promise<Slapd> {
  const url = `ldaps://127.0.0.1:${await freePort()}`;
  const lines = [
    `pidfile ${join(directory, 'slapd.pid')}`,
    `TLSCertificateFile ${pem}`,
    `TLSCertificateKeyFile ${pem}`,
    `TLSCACertificateFile ${authorities}`,
    'TLSVerifyClient demand',
  ];
  const configuration = writeText(directory, 'slapd.conf', `${lines.join('\n')}\n`);
  const start = async () => {
    const started = background('/usr/sbin/slapd', ['-d', 'none', '-h', url, '-f', configuration]);
    await until('slapd serves', () => {
      if (started.process.exitCode !== null) throw new Error(`it ended: ${started.output()}`);
      return started.output().includes('slapd starting');
    });
    return started;
  };
  let slapd = await start();
  return {
    url,
    output: () => slapd.output(),
    async restart() {
      await slapd.stop();
      slapd = await start();
    },
    async stop() {
      await slapd.stop();
    },
  };
}
