import { type DaemonProcess, startDaemon } from './daemon.ts';

export type CmpAgentProcess = DaemonProcess;

export function startCmpAgent(configuration: string): Promise<CmpAgentProcess> {
  return startDaemon('cmp-agent', 'agent of CMP ready', configuration);
}

/** A configuration with a certificate to enrol at a CA that nobody can reach. */
export const deadEnrolment = {
  enrolment: {
    authorities: [{ name: 'lab', url: 'http://127.0.0.1:9/cmp', endpoint: 'truststore' }],
    certificates: [
      {
        name: 'bmc',
        endpoint: 'server/https',
        authority: 'lab',
        subject: 'CN=bmc',
        names: ['DNS:bmc.example.com'],
      },
    ],
  },
};
