const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';

/** Bodies of every operation that takes one, by the names of their schemas; good but for the NUL. */
export const bodySamples = {
  CertificateCreate: [
    { CertificateString: pem, CertificateType: 'PEM' },
    { CertificateString: 'MIIB', CertificateType: 'PKCS12', Password: 'opens it' },
  ],
  ReplaceCertificate: [
    {
      CertificateString: pem,
      CertificateType: 'PEM',
      CertificateUri: { '@odata.id': `${https}/1` },
    },
  ],
  GenerateCsr: [
    {
      CertificateCollection: { '@odata.id': https },
      ...{ CommonName: 'bmc', Country: 'CH', City: 'Bern', State: 'BE', Organization: 'Test' },
      ...{ AlternativeNames: ['bmc.example.com', 'IP:192.0.2.1'], KeyUsage: ['KeyAgreement'] },
      ...{ KeyPairAlgorithm: 'EC', KeyCurveId: 'P-256', KeyBitLength: 0, ChallengePassword: 'x' },
    },
  ],
  Rekey: [{ KeyPairAlgorithm: 'RSA', KeyBitLength: 2048, ChallengePassword: 'x', KeyCurveId: '' }],
  Renew: [{ ChallengePassword: 'x' }, { ChallengePassword: 'x\0' }],
  AccountCreate: [
    { UserName: 'user', Password: 'correct-horse', RoleId: 'ReadOnly', AccountTypes: ['Redfish'] },
  ],
  AccountPatch: [{ Password: 'correct-horse', Enabled: true, Locked: false, RoleId: 'Operator' }],
  AccountServicePatch: [
    { MinPasswordLength: 9, AccountLockoutThreshold: 5, AccountLockoutDuration: 300 },
    { HTTPBasicAuth: 'Enabled', MultiFactorAuth: { ClientCertificate: { Enabled: true } } },
  ],
  SessionCreate: [{ UserName: 'admin', Password: 'wrong', Context: 'a test' }],
  SessionServicePatch: [{ SessionTimeout: 600 }],
  EventDestinationCreate: [
    {
      ...{ Destination: 'https://192.0.2.1/events', Protocol: 'Redfish', Context: 'x' },
      ...{ HttpHeaders: [{ 'X-Token': 'x' }], OriginResources: [{ '@odata.id': https }] },
      ...{ MessageIds: ['ResourceEvent.1.4.ResourceCreated'], ResourceTypes: ['Certificate'] },
    },
  ],
  EventDestinationPatch: [{ Context: 'y', HttpHeaders: [{ 'X-Other': 'y' }] }],
  EventServicePatch: [{ ServiceEnabled: true, DeliveryRetryAttempts: 3 }],
  EventResume: [{ DeliverBufferedEventDuration: 'P1DT2H3M4.5S' }],
  EventSubmitTest: [
    { MessageId: 'Base.1.19.Success', EventTimestamp: '2026-11-21T00:00:00Z', MessageArgs: ['x'] },
  ],
} as const;
