import { raw, scenario, since72 } from '../support/redis-script.ts';

export const passwordScenarios = [
  scenario(
    'who has not given the password',
    `
    CONFIG SET requirepass secret
    GET k
    b> GET k
    b> PING
    b> ECHO x
    `,
    ...['b> HELLO', 'b> HELLO 3', 'b> HELLO 3 SETNAME x'].map((line) =>
      since72(
        line,
        '-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option',
        'the text names the version since 7.2',
      ),
    ),
    `
    b> HELLO 3 AUTH default wrong
    b> HELLO 3 AUTH other secret
    b> HELLO 4
    b> AUTH wrong
    b> AUTH default wrong
    b> AUTH other secret
    b> AUTH "" secret
    b> AUTH ""
    b> AUTH a b c
    b> MULTI
    b> EXEC
    b> EXEC x
    b> DISCARD
    b> WATCH k
    b> NOSUCH
    b> GET
    b> CLIENT NOSUCH
    b> CLIENT ID
    b> COMMAND COUNT
    b> SELECT 0
    b> CLIENT REPLY ON
    b> RESET
    b> ! QUIT
    c> AUTH secret
    c> GET k
    c> AUTH wrong
    c> GET k
    c> AUTH default secret
    c> MULTI
    c> SET k v
    c> EXEC
    c> RESET
    c> GET k
    d> ? HELLO 3 AUTH default secret SETNAME me
    d> GET none
    d> CLIENT GETNAME
    CONFIG GET requirepass
    CONFIG SET requirepass ""
    CONFIG GET requirepass
    c> GET k
    d> RESET
    d> GET k
    e> GET k
    `,
  ),
  scenario(
    'large requests of who has not given the password',
    { ...raw('*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$11\r\nrequirepass\r\n'), connection: 'z' },
    'z> CONFIG SET requirepass secret',
    { ...raw('*11\r\n', 'closed'), connection: 'b' },
    { ...raw('*10\r\n$4\r\nPING\r\n$16385\r\n', 'closed'), connection: 'c' },
    { ...raw(`*2\r\n$4\r\nECHO\r\n$16384\r\n${'x'.repeat(16384)}\r\n`), connection: 'd' },
    'd> AUTH secret',
    { ...raw(`*2\r\n$4\r\nECHO\r\n$16385\r\n${'x'.repeat(16385)}\r\n`), connection: 'd' },
    'd> DEL {k}1 {k}2 {k}3 {k}4 {k}5 {k}6 {k}7 {k}8 {k}9 {k}10 {k}11',
    'z> CONFIG SET requirepass ""',
  ),
];
