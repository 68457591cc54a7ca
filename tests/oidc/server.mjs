// An OpenID Connect server on a free port of loopback. Usage: node server.mjs REDIRECT_URI
// Anybody signs in by naming one of `people`; the passwords are not looked at.
import http from 'node:http';
import Provider from 'oidc-provider';

const people = {
  ada: { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' },
  mallory: { email: 'ada@example.com', email_verified: false, name: 'Mallory' },
  word: { email: 'ada@example.com', email_verified: 'false', name: 'Word' },
  silent: { name: 'Silent' },
};

const server = http.createServer((request, response) => handle(request, response));
let handle;

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { client_id: 'hall', client_secret: 'a-secret-of-the-hall', redirect_uris: [process.argv[2]] },
    ],
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (context, id) =>
      people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    cookies: { keys: ['for-tests-only'] },
    pkce: { required: () => true },
  });
  handle = provider.callback();
  console.log(issuer);
});
