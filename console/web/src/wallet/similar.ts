// Addresses that look alike. Who poisons a history sends dust from an address whose ends
// are those of one that a person knows, and hopes that it is copied.

/** A known address that this one could be taken for, though it is another. */
export function lookAlike(address: string, known: Iterable<string>): string | undefined {
  for (const other of known) {
    if (other === address || other.length !== address.length) continue;
    const head = commonPrefix(address, other) - 5; // after lode1
    const tail = commonPrefix([...address].reverse().join(""), [...other].reverse().join(""));
    // by chance a pair of addresses agrees in 4 of these characters once in a million
    if (head + tail >= 4 && (tail >= 3 || head >= 3)) return other;
    let different = 0;
    for (let i = 0; i < address.length; i++) if (address[i] !== other[i]) different++;
    if (different <= address.length - 5 - 20) return other;
  }
  return undefined;
}

function commonPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}
