/** What keys do; the terminal is given back as it was when the returned function is called. */
export function listenToKeys(keys: Record<string, () => void>, input = process.stdin): () => void {
  const press = (pressed: string): void => {
    for (const key of pressed) keys[key]?.();
  };
  input.setEncoding('utf8');
  input.setRawMode(true);
  input.on('data', press);
  input.resume();
  return () => {
    input.off('data', press);
    input.setRawMode(false);
    input.pause();
  };
}
