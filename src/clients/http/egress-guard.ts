import ipaddr from 'ipaddr.js';

/** Says whether a resolved IP address may be connected to. */
export type AddressGuard = (address: string) => boolean;

/** Addresses where clouds hand out machine credentials. No TargetApp has business there. */
const metadataAddresses = new Set([
  '100.100.100.200', // Alibaba Cloud
  '168.63.129.16', // Azure, host agent
  '169.254.169.254', // AWS, Azure, Google Cloud, OpenStack and others
  '169.254.170.2', // AWS ECS
  '169.254.170.23', // AWS EKS pod identity
  '192.0.0.192', // Oracle Cloud
  'fd00:ec2::23', // AWS EKS pod identity
  'fd00:ec2::254', // AWS
  'fd20:ce::254', // Google Cloud
]);

/** IPv6 ranges that carry an IPv4 address, and the byte where it starts. */
const carriers: Record<string, number> = { '6to4': 2, ipv4Mapped: 12, rfc6052: 12, rfc6145: 12 };

/**
 * The address that packets end up at: an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is taken out, and the
 * notation is normalised. Throws when the text is not an IP address.
 */
export const effectiveAddress = (address: string): string => {
  const parsed = ipaddr.parse(address.replace(/%.*$/, ''));
  const start = carriers[parsed.range()];
  if (parsed.kind() === 'ipv4' || start === undefined) return parsed.toString();
  return ipaddr.fromByteArray(parsed.toByteArray().slice(start, start + 4)).toString();
};

/** The default guard: everything but cloud metadata addresses, in whatever notation they come. */
export const allowsAllButMetadata: AddressGuard = (address) =>
  ipaddr.isValid(address.replace(/%.*$/, '')) && !metadataAddresses.has(effectiveAddress(address));
