import { openUpload } from '../../manager/upload.ts';
import { parseFormat } from '../../x509/containers.ts';
import type { PemBlock } from '../../x509/pem.ts';

/** Content as the methods of our extensions take it. */
export interface ContentInputs {
  readonly Content: Buffer;
  readonly Format: string;
  readonly Password: string;
}

/** @throws CertError `format-unknown`, and what `openUpload` throws */
export function openInputs(
  { Content, Format, Password }: ContentInputs,
  maxBytes: number,
): readonly PemBlock[] {
  return openUpload({ bytes: Content, format: parseFormat(Format), password: Password }, maxBytes);
}
