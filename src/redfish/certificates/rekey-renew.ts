/** Actions of a certificate that make a request for its successor (DSP2046, Certificate). */
export const successorActions = ['Rekey', 'Renew'] as const;
export type SuccessorAction = (typeof successorActions)[number];
