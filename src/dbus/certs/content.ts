import { type Content, parseFormat } from '../../x509/containers.ts';

/** Content as the methods of our extensions take it. */
export interface ContentInputs {
  readonly Content: Buffer;
  readonly Format: string;
  readonly Password: string;
}

export function asContent({ Content, Format, Password }: ContentInputs): Content {
  return { bytes: Content, format: parseFormat(Format), password: Password };
}
