import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';

/** Where the certificate of a server is, and how often it is looked whether it was replaced. */
export interface CertificateFiles {
  /** PEM: the certificate, and those between it and its authority. */
  certFile: string;
  keyFile: string;
  everyMs?: number;
  /** Told of a replacement that cannot be used, once for each; the certificate before it stays. */
  onError(error: unknown): void;
}

/** A certificate with its key, both PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Soon enough for certificates that are replaced days before they expire. */
const lookEveryMs = 10_000;

/** Reads a certificate. Rejects when there is none, or key and certificate do not belong together. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  createSecureContext({ cert, key });
  return { cert, key };
}

/**
 * Gives a server each certificate that replaces the one that it has, for its next connections. The files are read anew rather
 * than watched: Kubernetes replaces the folder that they are in, and two files never change at the same moment.
 */
export function renewCertificate(server: Server, files: CertificateFiles, first: Certificate): { stop(): void } {
  let current = first;
  let complaint: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const found = await readCertificate(files);
      complaint = undefined;
      if (found.cert === current.cert && found.key === current.key) return;
      server.setSecureContext(found);
      current = found;
    } catch (error) {
      // The same trouble at each look is one trouble.
      const words = String(error);
      if (words !== complaint) files.onError(error);
      complaint = words;
    }
  };
  const looking = setInterval(() => void look(), files.everyMs ?? lookEveryMs).unref();
  return { stop: () => clearInterval(looking) };
}
