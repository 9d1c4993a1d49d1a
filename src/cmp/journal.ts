import {
  type EnrolmentJournal,
  validateEnrolmentJournal,
} from '../../schemas/generated/validators.js';
import { readState, StateFile } from '../storage/state-file.ts';
import { EnrolmentFault } from './enrolment-fault.ts';
import type { Confirmation, Transaction } from './transaction/transaction.ts';

export type { EnrolmentJournal };

/** What of one certificate is on the disk before anything is sent, and after each answer. */
export type Journal = StateFile<EnrolmentJournal>;

type StoredTransaction = NonNullable<EnrolmentJournal['transaction']>;

const form = { what: 'the journal of an enrolment', validator: validateEnrolmentJournal };

/** @throws SetupError when the file is there, but cannot be read as a journal */
export function openJournal(path: string): Journal {
  return new StateFile(path, readState(path, form) ?? { failures: 0 });
}

const text = (bytes: Buffer) => bytes.toString('base64');
const bytes = (stored: string) => Buffer.from(stored, 'base64');

/** @param reference of the password that protects the transaction; empty for a signature */
export function storedTransaction(transaction: Transaction, reference: string): StoredTransaction {
  const { phase, operation, transactionId, ourNonce, waitNonce, peerNonce } = transaction;
  return {
    ...{ phase, operation, reference },
    transactionId: text(transactionId),
    ourNonce: text(ourNonce),
    ...(waitNonce && { waitNonce: text(waitNonce) }),
    ...(peerNonce && { peerNonce: text(peerNonce) }),
    seenNonces: transaction.seenNonces.map(text),
    recipient: text(transaction.recipient),
    ...stateOf(transaction),
  };
}

function stateOf(transaction: Transaction): Partial<StoredTransaction> {
  switch (transaction.phase) {
    case 'requesting':
      return {};
    case 'polling': {
      const { certReqId, checkAfter, issued } = transaction;
      return { certReqId, checkAfter, ...(issued && storedIssued(issued)) };
    }
    case 'confirming':
    case 'confirmed':
      return storedIssued(transaction);
  }
}

function storedIssued({ certificate, helpers, status, fault }: Confirmation) {
  return {
    certificate: text(certificate),
    helpers: helpers.map(text),
    status,
    ...(fault !== undefined && { fault }),
  };
}

/** @throws EnrolmentFault `device` for a journal file with an unknown form */
export function readTransaction(stored: StoredTransaction): Transaction {
  const { phase, operation, waitNonce, peerNonce, certReqId, checkAfter } = stored;
  const exchange = {
    operation,
    transactionId: bytes(stored.transactionId),
    ourNonce: bytes(stored.ourNonce),
    waitNonce: waitNonce === undefined ? undefined : bytes(waitNonce),
    peerNonce: peerNonce === undefined ? undefined : bytes(peerNonce),
    seenNonces: stored.seenNonces.map(bytes),
    recipient: bytes(stored.recipient),
  };
  if (phase === 'requesting') return { ...exchange, phase };
  const issued = readIssued(stored);
  if (phase === 'polling' && certReqId !== undefined && checkAfter !== undefined)
    return { ...exchange, phase, certReqId, checkAfter, issued };
  if (phase !== 'polling' && issued) return { ...exchange, phase, ...issued };
  throw new EnrolmentFault('device', 'the journal of the enrolment lacks a member');
}

function readIssued({
  certificate,
  helpers = [],
  status = '',
  fault,
}: StoredTransaction): Confirmation | undefined {
  if (certificate === undefined) return undefined;
  return { certificate: bytes(certificate), helpers: helpers.map(bytes), status, fault };
}
