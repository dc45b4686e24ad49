export const HELP = `usage: npm run simulate -- [options]

Runs writer and watchers in a simulated world in which everything goes wrong, and checks after every step that
Primacy's promises hold. docs/simulation.md says what is simulated. One seed is one run, the same on every machine.

  npm run simulate -- --seed 42            one run: what goes wrong in it, and how it ends
  npm run simulate -- --seed 42 --steps    the same, step by step
  npm run simulate                         the seeds 1 to 10000, on all processors
  npm run simulate -- --runs 100000 --from 5001
  npm run simulate -- --minutes 480        a night: seeds that nobody has tried, until one fails
  npm run simulate -- --list-mutations     the guards that can be taken away
  npm run simulate -- --mutation "there is no guard"       until a seed notices
  npm run simulate -- --mutation "no guard" --seed 12 --steps

options
  --seed N        one run
  --steps         every step of it: true time in seconds, who, what
  --runs N        how many seeds (10000; with --minutes as many as there is time for)
  --from N        the first of them (1; with --minutes one that follows from the time of day)
  --minutes N     stop after so long
  --workers N     how many threads (as many as there are processors)
  --keep-going    do not stop at the first seed that fails
  --mutation NAME run without that guard; any part of its name will do that no other has
  --list-mutations
  --help, -h

exit codes: 0 all promises hold, 1 one was broken, 2 usage
`;
