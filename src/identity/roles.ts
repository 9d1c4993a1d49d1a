/** The privileges of DSP0266 that our operations ask for. */
export type Privilege =
  | 'Login'
  | 'ConfigureManager'
  | 'ConfigureUsers'
  | 'ConfigureComponents'
  | 'ConfigureSelf';

/** The predefined roles (DSP0266, "Roles") with their fixed privileges. */
export const roles = {
  Administrator: [
    'Login',
    'ConfigureManager',
    'ConfigureUsers',
    'ConfigureComponents',
    'ConfigureSelf',
  ],
  Operator: ['Login', 'ConfigureComponents', 'ConfigureSelf'],
  ReadOnly: ['Login', 'ConfigureSelf'],
} as const satisfies Record<string, readonly Privilege[]>;

export type RoleId = keyof typeof roles;

export function isRoleId(text: string): text is RoleId {
  return Object.hasOwn(roles, text);
}

export function hasPrivilege(role: RoleId, privilege: Privilege): boolean {
  return roles[role].some((one) => one === privilege);
}
