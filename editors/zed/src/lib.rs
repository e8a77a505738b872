//! Starts `prodlint lsp`. Everything else is the server's work.

use zed_extension_api::{self as zed, LanguageServerId, Result};

struct Prodlint;

impl zed::Extension for Prodlint {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &zed::Worktree) -> Result<zed::Command> {
        let command = worktree
            .which("prodlint")
            .ok_or("prodlint is not on PATH: pip install 'prodlint[lsp]'")?;
        Ok(zed::Command { command, args: vec!["lsp".into()], env: worktree.shell_env() })
    }
}

zed::register_extension!(Prodlint);
