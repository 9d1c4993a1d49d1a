import { openUpload } from '../../manager/upload.ts';
import { parseFormat } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { PemBlock } from '../../x509/pem.ts';
import { smallMessageBytes } from '../transport/bus.ts';
import type { MessageBounds } from '../transport/oversized-messages.ts';
import { contentSignatures } from './extension-interfaces.ts';

/** How large an upload may be, and how much of it is read. */
export interface UploadLimits {
  readonly uploadBytes: number;
  readonly content: ContentLimits;
}

/** Content as the methods of our extensions take it. */
export interface ContentInputs {
  readonly Content: Buffer;
  readonly Format: string;
  readonly Password: string;
}

/** @throws CertError `format-unknown`, and what `openUpload` throws */
export function openInputs(
  { Content, Format, Password }: ContentInputs,
  { uploadBytes, content }: UploadLimits,
): readonly PemBlock[] {
  const upload = { bytes: Content, format: parseFormat(Format), password: Password };
  return openUpload(upload, uploadBytes, content);
}

/**
 * A file in a message costs no more than its bytes; what else is large, an array behind the file too, costs many
 * times that.
 * @param further signatures of other calls that may be as large
 */
export function callBounds(
  { uploadBytes }: UploadLimits,
  further: readonly string[] = [],
): MessageBounds {
  const signatures = new Set([...contentSignatures, ...further]);
  return ({ type, signature }) =>
    smallMessageBytes + (type === 'call' && signatures.has(signature) ? uploadBytes : 0);
}
