// node run.mjs --wpt DIR [--area REGEX] [--only REGEX] [--out FILE] [--baseline FILE [--record]] [--jobs 1] [--isolate] -- BACKEND ARGV...
// Runs the files of files.json, each in its own Node process with its own backend process, and prints a table by area.
// --baseline: a subtest that is recorded there as passed and does not pass (in two attempts) makes the exit status 1; --record adds
// to the file what passes now. --isolate: each file in a network namespace with loopback and one veth pair (Linux, root).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const argv = process.argv.slice(2);
const cut = argv.indexOf('--');
const backend = argv.slice(cut + 1);
const options = { wpt: process.env.WPT_DIR, jobs: '1' };
for (let i = 0; i < cut; i++) {
  const name = argv[i].slice(2);
  options[name] = ['isolate', 'record'].includes(name) ? true : argv[++i];
}
const read = (file, otherwise) => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : otherwise);
const areas = read(path.join(here, 'files.json'));
const libwebrtc = read(path.join(here, 'results/wrtc.json'));
const chosen = (area, file) =>
  (!options.area || new RegExp(options.area).test(area)) && (!options.only || new RegExp(options.only).test(file));
const files = Object.entries(areas).flatMap(([area, list]) => list.filter(file => chosen(area, file)));

const NAMESPACE = 'ip link set lo up; ip link add v0 type veth peer name v1; ip addr add 10.99.0.1/24 dev v0; '
  + 'ip link set v0 up; ip link set v1 up; ip route add default dev v0; exec "$@"';

const runFile = file => new Promise(done => {
  let command = [process.execPath, path.join(here, 'runfile.cjs'), '--wpt', options.wpt, '--file', file, '--', ...backend];
  if (options.isolate) command = ['unshare', '-n', 'sh', '-c', NAMESPACE, 'sh', ...command];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  let text = '';
  child.stdout.on('data', data => { text += data; });
  const limit = setTimeout(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { } }, 400_000);
  child.on('close', () => {
    clearTimeout(limit);
    try { done(JSON.parse(text.trim().split('\n').pop())); }
    catch { done({ file, pass: 0, total: 0, harness: { status: 1, message: 'no result' }, tests: [] }); }
  });
});

const passed = result => result.tests.filter(test => test.status === 'PASS').map(test => test.name);
const lost = (result, names) => {
  const now = new Set(passed(result));
  return names.filter(name => !now.has(name));
};
const isNotThere = test => /NotImplemented|not implemented: /.test(test.message || '');

const baseline = options.baseline ? read(options.baseline, {}) : {};
const results = {};
const regressions = [];
const queue = [...files];
await Promise.all(Array.from({ length: +options.jobs }, async () => {
  while (queue.length) {
    const file = queue.shift();
    let result = await runFile(file);
    const recorded = baseline[file] || [];
    if (lost(result, recorded).length) {
      // Several tests wait for real time; a second attempt tells a lost behaviour from a busy machine.
      const again = await runFile(file);
      const still = lost(again, lost(result, recorded));
      for (const name of still) {
        const test = again.tests.find(test => test.name === name);
        regressions.push(`${file}: ${name}: ${test ? `${test.status} ${test.message}` : again.dead || again.harness.message || 'not run'}`);
      }
      if (again.pass >= result.pass) result = again;
    }
    result.of = Math.max(result.total, libwebrtc[file]?.[1] ?? 0);
    results[file] = result;
    const note = result.harness?.status ? ` (${result.harness.message})` : '';
    process.stderr.write(`${file} ${result.pass}/${result.of}, libwebrtc ${libwebrtc[file]?.[0] ?? '–'}, ${result.ms ?? '-'} ms${note}\n`);
    if (options.out) fs.writeFileSync(options.out, JSON.stringify(results, null, 1));
  }
}));

const sum = (list, of) => list.reduce((all, file) => all + of(file), 0);
const row = (name, list) => [
  name, list.length, sum(list, file => results[file].of), sum(list, file => results[file].pass),
  list.some(file => libwebrtc[file]) ? sum(list, file => libwebrtc[file]?.[0] ?? 0) : '–', sum(list, file => results[file].tests.filter(isNotThere).length),
];
const rows = Object.entries(areas)
  .map(([area, list]) => [area, list.filter(file => results[file])])
  .filter(([, list]) => list.length)
  .map(([area, list]) => row(area, list));
rows.push(row('Total', files));
console.log('| Area | Files | Subtests | Passed | libwebrtc passes | Not in the API |');
console.log('|---|---|---|---|---|---|');
for (const columns of rows) console.log(`| ${columns.join(' | ')} |`);

if (options.record) {
  for (const file of files) {
    const names = [...new Set([...(baseline[file] || []), ...passed(results[file])])].sort();
    if (names.length) baseline[file] = names;
  }
  const sorted = Object.fromEntries(Object.keys(baseline).sort().map(file => [file, baseline[file]]));
  fs.writeFileSync(options.baseline, JSON.stringify(sorted, null, 1) + '\n');
}
if (regressions.length) {
  console.log(`\n${regressions.length} subtests passed before and do not pass any more:`);
  for (const line of regressions) console.log(`  ${line}`);
  process.exitCode = 1;
}
