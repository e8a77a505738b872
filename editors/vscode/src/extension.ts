// Starts `prodlint lsp` and hands it what VS Code knows. Everything else is the server's work.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';

const SECTION = 'prodlint';
const NEEDS_RESTART = ['path', 'args'].map((name) => `${SECTION}.${name}`);

// What the server wants to know when it starts; it is told of changes later.
const PREFERENCES = ['preview', 'likely', 'config'];

// What prodlint reads. Other documents never reach the server.
const FILES = [
  '**/*.{js,cjs,mjs,jsx,ts,mts,cts,tsx,py}',
  '**/{package,app,vercel,railway,process,pm2}.json',
  '**/*.{yml,yaml,toml,ini,cfg,conf,service,vcl,sh}',
  '**/{Dockerfile*,*.Dockerfile,Containerfile*,Procfile*,.env*,Caddyfile,Pipfile,requirements*.txt}',
];

let client: LanguageClient | undefined;
let output: vscode.LogOutputChannel | undefined;
let turn: Promise<void> = Promise.resolve(); // starts and stops follow each other, however fast they are asked for

export function activate(context: vscode.ExtensionContext): Promise<void> {
  output = vscode.window.createOutputChannel('prodlint', { log: true });
  context.subscriptions.push(
    output,
    // `prodlint.restart` is the server's own command, and the client library registers it.
    vscode.commands.registerCommand('prodlint.restartServer', restart),
    vscode.commands.registerCommand('prodlint.showLog', () => output?.show()),
    vscode.workspace.onDidChangeConfiguration((event) =>
      NEEDS_RESTART.some((name) => event.affectsConfiguration(name)) ? restart() : undefined,
    ),
  );
  return restart();
}

export function deactivate(): Promise<void> {
  return inTurn(stop);
}

function restart(): Promise<void> {
  return inTurn(async () => {
    await stop();
    await start();
  });
}

function inTurn(action: () => Promise<void>): Promise<void> {
  turn = turn.then(action);
  return turn;
}

async function start(): Promise<void> {
  const settings = vscode.workspace.getConfiguration(SECTION);
  const command = settings.get<string>('path') || fromWorkspace() || 'prodlint';
  const args = ['lsp', ...settings.get<string[]>('args', [])];
  output?.info(`starting ${[command, ...args].join(' ')}`);
  const starting = new LanguageClient(
    SECTION,
    'prodlint',
    { command, args },
    {
      documentSelector: FILES.map((pattern) => ({ scheme: 'file', pattern })),
      initializationOptions: Object.fromEntries(PREFERENCES.map((name) => [name, settings.get(name)])),
      outputChannel: output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      synchronize: { configurationSection: SECTION },
    },
  );
  client = starting;
  try {
    await starting.start();
  } catch (error) {
    output?.error(String(error));
    const log = 'Show Log';
    const message = `prodlint: ${command} did not start. Is it installed with its lsp extra (pip install "prodlint[lsp]")?`;
    void vscode.window.showErrorMessage(message, log).then((chosen) => chosen === log && output?.show());
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.state === State.Running) {
    await running.stop().catch((error: unknown) => output?.error(String(error)));
  }
}

/** The prodlint of a virtual environment in the workspace. */
function fromWorkspace(): string | undefined {
  const inside = process.platform === 'win32' ? join('Scripts', 'prodlint.exe') : join('bin', 'prodlint');
  return (vscode.workspace.workspaceFolders ?? [])
    .flatMap((folder) => ['.venv', 'venv'].map((name) => join(folder.uri.fsPath, name, inside)))
    .find((path) => existsSync(path));
}
