import type { EndpointDefinition } from '../../manager/endpoint-definition.ts';
import { fileOfCaller, refuseSize, type UploadSource } from '../../manager/upload.ts';
import { type OpenContent, parseFormat, pemContent } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { Caller } from '../server/interface.ts';
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

/** What opens an upload, and how much of it. */
export interface UploadParts {
  readonly uploads: UploadLimits;
  readonly openContent: OpenContent;
}

/** Callers take turns, each with what it wants of each endpoint. */
function ownerOf({ name }: Caller, { path }: Pick<EndpointDefinition, 'path'>): string {
  return `${name} ${path}`;
}

/**
 * Begins to open what takes long, so that the change has it in its turn.
 * @throws CertError `format-unknown`, `file-empty`, `file-too-large`, and what `openContent` throws
 */
export function openInputs(
  { Content, Format, Password }: ContentInputs,
  { uploads: { uploadBytes, content }, openContent }: UploadParts,
  caller: Caller,
  endpoint: Pick<EndpointDefinition, 'path'>,
): UploadSource {
  const upload = { bytes: Content, format: parseFormat(Format), password: Password };
  refuseSize(upload, uploadBytes);
  const opened = openContent(upload, content, ownerOf(caller, endpoint));
  if (!(opened instanceof Promise)) return opened;
  // The change may be refused before it waits for this
  opened.catch(() => undefined);
  return () => opened;
}

/** The file that a caller names, to be read and opened in its turn. */
export function openFile(
  path: string,
  { uploads: { uploadBytes, content }, openContent }: UploadParts,
  caller: Caller,
  endpoint: Pick<EndpointDefinition, 'path'>,
): UploadSource {
  const read = fileOfCaller(path, uploadBytes, caller.user);
  return async () => openContent(pemContent(await read()), content, ownerOf(caller, endpoint));
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
