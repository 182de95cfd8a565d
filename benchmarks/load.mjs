// Calls the webhook for one session after the other, at a rate: URL, secret, sessions file (crew code and session id, a
// line each), requests a second, connections. Prints latencies in ms and requests by status, as JSON.
import {createHmac} from 'node:crypto';
import {readFileSync} from 'node:fs';
import autocannon from 'autocannon';

const [url, secret, file, rate, connections] = process.argv.slice(2);
const sessions = readFileSync(file, 'utf8').trimEnd().split('\n').map(line => line.split(' '));
let next = 0;

function signed(request) {
  const [crew_code, session_id] = sessions[next++ % sessions.length];
  const body = JSON.stringify({crew_code, session_id});
  const timestamp = Math.floor(Date.now() / 1000).toString();
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  const headers = {'Content-Type': 'application/json', 'X-Timestamp': timestamp, 'X-Signature': signature};
  return {...request, body, headers};
}

const result = await autocannon({
  url,
  method: 'POST',
  connections: Number(connections),
  overallRate: Number(rate),
  amount: sessions.length,
  timeout: 60,
  requests: [{setupRequest: signed}],
});
const {latency, requests, duration} = result;
console.log(JSON.stringify({
  p50: latency.p50, p99: latency.p99, max: latency.max,
  rate: requests.total / duration, ok: result['2xx'], others: result.non2xx + result.errors,
}));
