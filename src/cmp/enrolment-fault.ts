/** Where an enrolment failed, from the device to the certificate. */
const layers = {
  configuration: 'The policy, or its CA profile, asks for what cannot be done.',
  device: 'The manager did not make or use a key, or did not install the certificate.',
  transport: 'The CA could not be reached: name, TCP or TLS.',
  http: 'What answered is no CMP server.',
  encoding: 'The answer is no message of CMP in DER.',
  header: 'The answer belongs to no request of this transaction.',
  protection: 'The answer is not protected by the CA.',
  body: 'The answer does not answer the request.',
  ca: 'The CA refused the request.',
  certificate: 'The certificate that the CA issued was refused.',
  service: 'The service did not show the new certificate.',
} as const;

export type Layer = keyof typeof layers;

export interface FaultDetails {
  /** Names of the bits of PKIFailureInfo. */
  readonly failInfo?: readonly string[];
  /** Whether any host on the way could have caused it: it ends one attempt, and no more. */
  readonly isUnauthenticated?: boolean;
  readonly cause?: unknown;
}

/** Why an enrolment failed. Its message goes to operators, and never holds a secret. */
export class EnrolmentFault extends Error {
  override readonly name = 'EnrolmentFault';
  readonly layer: Layer;
  readonly failInfo: readonly string[];
  readonly isUnauthenticated: boolean;

  constructor(layer: Layer, message: string, details: FaultDetails = {}) {
    super(message, { cause: details.cause });
    this.layer = layer;
    this.failInfo = details.failInfo ?? [];
    this.isUnauthenticated = details.isUnauthenticated ?? false;
  }
}
