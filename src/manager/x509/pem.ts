import { CertError } from '../errors.ts';

/** One PEM block: its label, its decoded bytes and its text in OpenSSL's form. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  readonly text: string;
  /** True when RFC 1421 headers mark the block as encrypted (OpenSSL's traditional key format). */
  readonly encrypted: boolean;
}

const boundary = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]*)-----$/;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Splits a file into its PEM blocks (RFC 7468). Text outside of blocks is explanatory and skipped.
 * @throws CertError `pem-malformed` for a block without its END line, a wrong END label or bad base64.
 */
export function parsePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { label: string; lines: string[] } | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const mark = boundary.exec(line.trim());
    if (mark === null) {
      open?.lines.push(line.trim());
      continue;
    }
    const label = mark[2] ?? '';
    if (mark[1] === 'BEGIN') {
      if (open) throw malformed(`BEGIN ${label} inside of the ${open.label} block`);
      open = { label, lines: [] };
      continue;
    }
    if (!open) throw malformed(`END ${label} without a BEGIN`);
    if (open.label !== label) throw malformed(`END ${label} closes a ${open.label} block`);
    blocks.push(decodeBlock(open.label, open.lines));
    open = undefined;
  }
  if (open) throw malformed(`the ${open.label} block has no END line`);
  return blocks;
}

/** Writes a block with lines of 64 characters and a trailing newline, as OpenSSL does. */
export function formatPem(label: string, der: Uint8Array, headers: readonly string[] = []): string {
  const base64 = Buffer.from(der).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  const head = headers.length > 0 ? [...headers, ''] : [];
  return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function decodeBlock(label: string, lines: string[]): PemBlock {
  // RFC 1421 headers stand before everything else and end with an empty line
  const hasHeaders = lines[0]?.includes(':') ?? false;
  const start = hasHeaders ? lines.indexOf('') : 0;
  if (start < 0) throw malformed(`the headers of the ${label} block have no end`);
  const headers = lines.slice(0, start);
  const body = lines.slice(start).filter((line) => line !== '');
  const encrypted = headers.some((line) => /^Proc-Type:.*ENCRYPTED/.test(line));
  const base64 = body.join('');
  if (!isBase64(body, base64)) throw malformed(`the ${label} block is not base64`);
  const der = Buffer.from(base64, 'base64');
  return { label, der, encrypted, text: formatPem(label, der, headers) };
}

function isBase64(lines: string[], joined: string): boolean {
  if (joined === '' || joined.length % 4 !== 0) return false;
  return lines.every((line) => base64Line.test(line)) && base64Line.test(joined);
}

function malformed(detail: string): CertError {
  return new CertError('pem-malformed', `the file is not valid PEM: ${detail}`);
}
