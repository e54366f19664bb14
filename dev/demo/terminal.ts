import { stripVTControlCharacters } from 'node:util';
import colors from 'picocolors';

/** Paints texts, or leaves them as they are where nobody would see the colours. */
export type Paint = ReturnType<typeof colors.createColors>;

/** The screen: lines that stay, and on a terminal one line below them that is rewritten in place. */
export interface Terminal {
  paint: Paint;
  /** Whether there is a person with a keyboard in front of it. */
  isInteractive: boolean;
  /** Prints a line that stays. */
  line(text?: string): void;
  /** Replaces the last line; nothing where output is not a terminal. */
  status(text: string): void;
  /** Shows what is being waited for, with the seconds, until `work` ends; then says how long it took. */
  step<T>(what: string, work: Promise<T>): Promise<T>;
  /** Takes the last line away. */
  close(): void;
}

const clearLine = '\r\x1b[2K';

/** Cut to the width of the screen, so that rewriting it stays within one line. */
const fitted = (text: string, columns: number): string => {
  const plain = stripVTControlCharacters(text);
  return plain.length < columns ? text : `${plain.slice(0, Math.max(0, columns - 2))}…`;
};

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The screen of a process. `NO_COLOR`, or output that is not a terminal, means no colours. */
export function createTerminal(env: NodeJS.ProcessEnv, out = process.stdout, input = process.stdin): Terminal {
  const isTerminal = out.isTTY === true;
  const paint = colors.createColors(isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb');
  let shown = '';
  const status = (text: string): void => {
    if (!isTerminal) return;
    const next = fitted(text, out.columns ?? 80);
    if (next !== shown) out.write(next === '' ? clearLine : clearLine + next);
    shown = next;
  };
  const line = (text = ''): void => void out.write(shown === '' ? `${text}\n` : `${clearLine}${text}\n${shown}`);
  return {
    paint,
    isInteractive: isTerminal && input.isTTY === true,
    line,
    status,
    async step(what, work) {
      const started = Date.now();
      const tell = () => status(paint.dim(`  … ${what} (${Math.round((Date.now() - started) / 1000)} s)`));
      tell();
      const ticking = setInterval(tell, 1_000);
      try {
        const result = await work;
        status('');
        line(`  ${paint.green('✓')} ${what} ${paint.dim(`(${secondsOf(Date.now() - started)})`)}`);
        return result;
      } finally {
        clearInterval(ticking);
        status('');
      }
    },
    close: () => status(''),
  };
}
