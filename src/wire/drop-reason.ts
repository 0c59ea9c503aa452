/**
 * Why something received was not processed. Each is counted by name in a host's counters; none is ever an exception.
 * The names are ours; the comments give Linux's counter (nstat) where it has one.
 */
export const DropReason = {
  // wire: the octets make no sense
  FrameTooShort: 'frame too short',
  NotIp: 'not an IP packet',
  BadIpVersion: 'bad IP version',
  BadIpHeaderLength: 'bad IP header length',
  BadIpTotalLength: 'bad IP total length',
  BadIpChecksum: 'bad IP header checksum', // IpInCsumErrors
  TooManyExtensionHeaders: 'too many IPv6 extension headers',
  BadExtensionHeader: 'bad IPv6 extension header',
  TcpTooShort: 'TCP header cut short', // TcpInErrs
  BadDataOffset: 'bad TCP data offset', // TcpInErrs
  BadTcpChecksum: 'bad TCP checksum', // TcpInCsumErrors
  UdpTooShort: 'UDP datagram cut short', // UdpInErrors
  BadUdpChecksum: 'bad UDP checksum', // UdpInCsumErrors
  BadIcmp: 'bad ICMP message',
  BadIcmpChecksum: 'bad ICMP checksum',
  // ip: not for us, or nowhere to go
  NotForUs: 'not our address',
  BadSourceAddress: 'source address is broadcast or multicast',
  UnknownProtocol: 'unknown IP protocol',
  FragmentDropped: 'fragment could not be reassembled',
  SourceRoute: 'source route not accepted',
  NoConnection: 'no connection and no listener',
  // tcp: RFC 9293 3.10.7 says drop
  Md5Missing: 'TCP MD5 signature missing',
  Md5Unexpected: 'TCP MD5 signature not expected',
  Md5Wrong: 'TCP MD5 signature wrong',
  ListenRst: 'RST for a listener',
  ListenNoSyn: 'neither SYN nor ACK for a listener',
  AcceptQueueFull: 'accept queue full', // ListenOverflows
  SynQueueFull: 'SYN queue full', // TCPReqQFullDrop
  SynSentBadAck: 'SYN-SENT: ACK not acceptable',
  SynSentNoSyn: 'SYN-SENT: neither SYN nor RST',
  OutOfWindow: 'sequence number not acceptable',
  Paws: 'PAWS: old timestamp', // PAWSEstab
  RstOutOfWindow: 'RST not acceptable',
  ChallengedRst: 'RST answered with a challenge ACK', // TCPChallengeACK
  ChallengedSyn: 'SYN answered with a challenge ACK', // TCPSYNChallenge
  NoAck: 'no ACK bit',
  AckTooOld: 'ACK too old (RFC 5961 5.2)',
  AckOfUnsent: 'ACK of something not sent',
  OldDuplicate: 'old duplicate text',
  ReceiveBufferFull: 'receive buffer full', // TCPRcvQDrop
  ReassemblyFull: 'reassembly queue full', // OfoPruned
  AfterClose: 'text after close', // TCPAbortOnData
  TimeWait: 'not acceptable in TIME-WAIT',
  SynFin: 'SYN and FIN together',
  UserGone: 'no program holds the connection',
} as const

export type DropReason = (typeof DropReason)[keyof typeof DropReason]
