// A client on Microsoft's own implementation of the protocol, which checks what it is sent.
// node client.mjs COMMAND WORKSPACE: prints what it saw, or ends with 1.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const protocol = createRequire(join(process.cwd(), 'node_modules', 'x'))('vscode-languageserver-protocol/node');
const [command, workspace] = process.argv.slice(2);
const uri = (path) => pathToFileURL(join(workspace, path)).href;
const at = (diagnostic) => `${diagnostic.range.start.line}:${diagnostic.range.start.character} ${diagnostic.code}`;

const failAfter = setTimeout(() => {
  console.error('waited in vain');
  process.exit(1);
}, 90_000);

async function session(capabilities, play) {
  const server = spawn(command, ['lsp'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const connection = protocol.createProtocolConnection(
    new protocol.StreamMessageReader(server.stdout),
    new protocol.StreamMessageWriter(server.stdin),
    console,
  );
  connection.onError((error) => assert.fail(String(error)));
  connection.onUnhandledNotification((message) => assert.equal(message.method, 'window/logMessage'));
  connection.onRequest(protocol.RegistrationRequest.type, () => undefined);
  connection.onRequest(protocol.DiagnosticRefreshRequest.type, () => undefined);
  connection.listen();
  const folders = [{ uri: uri('.'), name: 'shop' }];
  const answer = await connection.sendRequest(protocol.InitializeRequest.type, {
    processId: process.pid,
    rootUri: uri('.'),
    workspaceFolders: folders,
    capabilities,
  });
  await connection.sendNotification(protocol.InitializedNotification.type, {});
  await play(connection, answer.capabilities);
  await connection.sendRequest(protocol.ShutdownRequest.type);
  await connection.sendNotification(protocol.ExitNotification.type);
  assert.equal(await ended, 0);
}

const open = (connection, path, text) =>
  connection.sendNotification(protocol.DidOpenTextDocumentNotification.type, {
    textDocument: { uri: uri(path), languageId: 'python', version: 1, text },
  });

const text = readFileSync(join(workspace, 'api.py'), 'utf8');

// --- pushed

await session({ textDocument: { codeAction: { resolveSupport: { properties: ['edit'] } } } }, async (connection, can) => {
  assert.equal(can.positionEncoding, 'utf-16');
  const published = [];
  let told = () => {};
  connection.onNotification(protocol.PublishDiagnosticsNotification.type, (params) => {
    published.push(params);
    told();
  });
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => (told = resolve));
  };
  const last = () => published.findLast((params) => params.uri === uri('api.py'));

  await open(connection, 'api.py', text);
  await until(() => last()?.version === 1);
  console.log('pushed', last().diagnostics.map(at).join(', '));

  const document = { uri: uri('api.py') };
  const range = last().diagnostics[0].range;
  const context = { diagnostics: last().diagnostics, only: ['source.fixAll'] };
  const [action] = await connection.sendRequest(protocol.CodeActionRequest.type, { textDocument: document, range, context });
  assert.equal(action.edit, undefined, 'it is resolved when it is chosen');
  const resolved = await connection.sendRequest(protocol.CodeActionResolveRequest.type, action);
  const [edit] = resolved.edit.changes[uri('api.py')];
  console.log('resolved', JSON.stringify(edit.newText));

  await connection.sendNotification(protocol.DidChangeTextDocumentNotification.type, {
    textDocument: { ...document, version: 2 },
    contentChanges: [{ range: edit.range, text: edit.newText }],
  });
  await until(() => last().version !== 1);
  console.log('pushed', last().diagnostics.map(at).join(', ') || 'nothing');
});

// --- pulled

await session(
  { textDocument: { diagnostic: {} }, workspace: { diagnostics: { refreshSupport: true } }, window: { workDoneProgress: true } },
  async (connection, can) => {
    assert.equal(can.diagnosticProvider.workspaceDiagnostics, true);
    connection.onNotification(protocol.PublishDiagnosticsNotification.type, () => assert.fail('pushed as well'));
    await open(connection, 'api.py', text);
    const report = await connection.sendRequest(protocol.DocumentDiagnosticRequest.type, { textDocument: { uri: uri('api.py') } });
    console.log('pulled', report.kind, report.items.map(at).join(', '));

    const kinds = [];
    connection.onProgress(protocol.WorkDoneProgress.type, 'work', (value) => kinds.push(value.kind));
    const all = await connection.sendRequest(protocol.WorkspaceDiagnosticRequest.type, { previousResultIds: [], workDoneToken: 'work' });
    console.log('workspace', all.items.map((item) => `${item.uri.split('/').at(-1)} ${item.items.map(at)}`).join('; '));
    console.log('progress', kinds.join(' '));

    // A long document, so that the server is still at it when the cancellation arrives.
    const long = text + 'def idle():\n    return 1\n\n\n'.repeat(20_000);
    connection.sendNotification(protocol.DidChangeTextDocumentNotification.type, {
      textDocument: { uri: uri('api.py'), version: 2 },
      contentChanges: [{ text: long }],
    });
    const source = new protocol.CancellationTokenSource();
    const cancelled = connection.sendRequest(
      protocol.DocumentDiagnosticRequest.type,
      { textDocument: { uri: uri('api.py') } },
      source.token,
    );
    source.cancel();
    await assert.rejects(cancelled, { code: protocol.LSPErrorCodes.RequestCancelled });
    const again = await connection.sendRequest(protocol.DocumentDiagnosticRequest.type, {
      textDocument: { uri: uri('api.py') },
      previousResultId: report.resultId,
    });
    console.log('cancelled, then', again.kind);
  },
);

clearTimeout(failAfter);
