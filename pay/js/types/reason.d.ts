/** @param {string} text */
export function reasonOf(text: string): string;
/**
 * Why a fee granter does not pay, if that is what a node says.
 *
 * @param {string} text
 */
export function feesRefused(text: string): string | undefined;
