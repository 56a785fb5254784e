/**
 * @param {string} text
 */
export function reasonOf(text: string): string;
