import type { LockoutRules } from './failed-logins.ts';
import type { PasswordRules } from './password-rules.ts';

/** The rules for all accounts, in the words of Redfish's AccountService. */
export interface AccountPolicy {
  readonly minPasswordLength: number;
  readonly maxPasswordLength: number;
  readonly lockoutThreshold: number;
  readonly lockoutSeconds: number;
  readonly lockoutResetSeconds: number;
  readonly lockoutResetEnabled: boolean;
}

/** Why rules cannot stand together, as sentences. 0 seconds lock nothing. */
export function policyFaults(policy: AccountPolicy): readonly string[] {
  const faults: string[] = [];
  if (policy.minPasswordLength > policy.maxPasswordLength) {
    faults.push('The shortest password is longer than the longest');
  }
  if (policy.lockoutSeconds > 0 && policy.lockoutResetSeconds > policy.lockoutSeconds) {
    faults.push('The count of failed logins begins anew after the lock has ended');
  }
  return faults;
}

export function passwordRulesOf(policy: AccountPolicy): PasswordRules {
  return { minLength: policy.minPasswordLength, maxLength: policy.maxPasswordLength };
}

export function lockoutRulesOf(policy: AccountPolicy): LockoutRules {
  return {
    threshold: policy.lockoutThreshold,
    lockSeconds: policy.lockoutSeconds,
    resetSeconds: policy.lockoutResetSeconds,
    resetEnabled: policy.lockoutResetEnabled,
  };
}
