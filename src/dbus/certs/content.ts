import { openUpload } from '../../manager/upload.ts';
import { parseFormat } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { PemBlock } from '../../x509/pem.ts';

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
