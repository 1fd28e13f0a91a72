// An OpenID provider that tests sign in with: oidc-provider, certified by the OpenID Foundation, with its own pages for
// development. `PUT /test/people/LOGIN` says who somebody is; the keys are new at each start.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, AUTH_METHOD, CLAIMS_IN_ID_TOKEN } = process.env;
const people = new Map();
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    redirect_uris: [REDIRECT_URI],
    application_type: 'native', // so that http to this machine is a redirect URI
    token_endpoint_auth_method: AUTH_METHOD,
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: CLAIMS_IN_ID_TOKEN !== 'yes',
  clientAuthMethods: [AUTH_METHOD],
  cookies: { keys: [randomUUID()] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: randomUUID() }] },
  pkce: { required: () => true },
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
});
const answer = provider.callback();

createServer((request, response) => {
  const person = request.url.match(/^\/test\/people\/(.+)$/);
  if (!person) return answer(request, response);
  let said = '';
  request.on('data', (part) => { said += part; });
  request.on('end', () => { people.set(person[1], JSON.parse(said)); response.end(); });
}).listen(Number(PORT), '127.0.0.1', () => console.log('ready'));

// When the test is gone, so are we.
process.stdin.on('end', () => process.exit()).resume();
