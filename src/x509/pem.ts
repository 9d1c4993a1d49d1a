import { CertError } from '../core/cert-error.ts';
import { firstElement } from './content-form.ts';
import { type ContentLimits, usualLimits } from './limits.ts';

/** One PEM block: its label, its decoded bytes and its text in OpenSSL's form, which is made when it is read. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  readonly text: string;
  /** True when RFC 1421 headers mark the block as encrypted (OpenSSL's traditional key format). */
  readonly encrypted: boolean;
}

const boundary = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 #.]*)-----$/;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Splits a file into its PEM blocks (RFC 7468). Text outside of blocks is explanatory and skipped.
 * @throws CertError `pem-malformed` for a block without its END line, a wrong END label or bad base64,
 *   `too-many-certificates` for more blocks than are read
 */
export function parsePem(
  text: string,
  { blocks: max }: Pick<ContentLimits, 'blocks'> = usualLimits,
): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly start: number } | undefined;
  const lines = text.replace(/\r\n?/g, '\n');
  for (const { kind, label, start, end } of boundaries(lines)) {
    if (kind === 'BEGIN') {
      if (open) throw malformed(`BEGIN ${label} inside of the ${open.label} block`);
      if (blocks.length >= max) throw tooMany(`the file holds more than ${max} PEM blocks`);
      open = { label, start: end };
      continue;
    }
    if (!open) throw malformed(`END ${label} without a BEGIN`);
    if (open.label !== label) throw malformed(`END ${label} closes a ${open.label} block`);
    blocks.push(decodeBlock(open.label, lines.slice(open.start, start)));
    open = undefined;
  }
  if (open) throw malformed(`the ${open.label} block has no END line, as where the end is cut off`);
  return blocks;
}

/** The lines that begin and end blocks, and where they stand. Each line is looked at once, and few of them at all. */
function* boundaries(lines: string) {
  for (let at = lines.indexOf('-----'); at >= 0; ) {
    const start = lines.lastIndexOf('\n', at) + 1;
    const newline = lines.indexOf('\n', at);
    const end = newline < 0 ? lines.length : newline;
    const line = lines.slice(start, end).trim();
    const [, kind, label = ''] = boundary.exec(line) ?? [];
    if (kind !== undefined) yield { kind, label, start, end };
    else if (/^-----(BEGIN|END) [A-Z0-9]/.test(line)) throw malformed(faultOfBoundary(line));
    at = lines.indexOf('-----', end);
  }
}

function faultOfBoundary(line: string): string {
  if (/.-----(\\r)?\\n/.test(line))
    return 'its line ends are the characters \\n; make them real ones';
  return /.-----+ ?\w/.test(line)
    ? 'its line ends are gone; use --data-binary with curl'
    : 'a BEGIN or END line is not whole';
}

const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE'];

export function isCertificateBlock({ label }: PemBlock): boolean {
  return certificateLabels.includes(label);
}

export function pemBlock(label: string, der: Buffer, headers: readonly string[] = []): PemBlock {
  return {
    label,
    der,
    encrypted: headers.some((line) => /^Proc-Type:.*ENCRYPTED/.test(line)),
    get text() {
      return formatPem(label, der, headers);
    },
  };
}

/** Writes a block with lines of 64 characters and a trailing newline, as OpenSSL does. */
export function formatPem(label: string, der: Uint8Array, headers: readonly string[] = []): string {
  const base64 = Buffer.from(der).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  const head = headers.length > 0 ? [...headers, ''] : [];
  return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** @param text from the end of its BEGIN line to the start of its END line */
function decodeBlock(label: string, text: string): PemBlock {
  const lines = text.slice(1).split('\n');
  // RFC 1421 headers stand before everything else and end with an empty line
  const hasHeaders = lines[0]?.includes(':') ?? false;
  const start = hasHeaders ? lines.findIndex((line) => line.trim() === '') : 0;
  if (start < 0) throw malformed(`the headers of the ${label} block have no end`);
  const headers = lines.slice(0, start).map((line) => line.trim());
  const body = lines.slice(start).flatMap((line) => line.trim() || []);
  const base64 = body.join('');
  if (!isBase64(body, base64)) {
    const bad = body.findIndex((line) => !base64Line.test(line));
    const place = bad < 0 ? '' : `: line ${bad + 1} of it has another character`;
    throw malformed(`the ${label} block is not base64${place}`);
  }
  const der = Buffer.from(base64, 'base64');
  // `openssl x509 -trustout`: the certificate, and behind it what it is trusted for
  if (label === 'TRUSTED CERTIFICATE') return pemBlock('CERTIFICATE', firstElement(der));
  return pemBlock(label, der, headers);
}

function isBase64(lines: string[], joined: string): boolean {
  if (joined === '' || joined.length % 4 !== 0) return false;
  return lines.every((line) => base64Line.test(line)) && base64Line.test(joined);
}

function tooMany(detail: string): CertError {
  return new CertError('too-many-certificates', detail);
}

function malformed(detail: string): CertError {
  return new CertError('pem-malformed', `the file is not valid PEM: ${detail}`);
}
