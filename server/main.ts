import { commands } from './commands.ts';
import { ConfigError } from './config.ts';
import { EmbeddedError } from './platform/embedded-guard.ts';
import { MigrationError } from './platform/migrate.ts';

/** The command line: `start` when none is named. Exit codes: 0 done, 1 it did not work, 2 wrong use. */
async function main(args: readonly string[]): Promise<number> {
  const [name = 'start', ...rest] = args;
  const command = commands[name];
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${usage()}\n`);
    return 0;
  }
  if (command === undefined) {
    process.stderr.write(`There is no command "${name}".\n\n${usage()}\n`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${command.help}\n`);
    return 0;
  }
  const unknown = rest.filter((flag) => !command.flags.includes(flag));
  if (unknown.length > 0) {
    process.stderr.write(`"${name}" does not take ${unknown.join(' ')}.\n\n${command.help}\n`);
    return 2;
  }
  return command.run(rest);
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(10)}${command.summary}`);
  return `parley <command>\n\n${lines.join('\n')}\n\nMore with: parley <command> --help`;
}

/** What is said without a stack: the message itself tells what to do. */
function isForPeople(error: unknown): error is Error {
  return error instanceof ConfigError || error instanceof EmbeddedError || error instanceof MigrationError;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      isForPeople(error) ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exit(1);
  },
);
