-- Waits for a diagnostic, applies the first action offered for it, saves, and tells what it saw.

local function say(text)
  io.stdout:write(text .. '\n')
end

local function await(what, condition)
  if not vim.wait(30000, condition, 50) then
    say('waited in vain for ' .. what)
    vim.cmd('cquit 1')
  end
end

local function found()
  return vim.diagnostic.get(0)
end

await('a diagnostic', function() return #found() > 0 end)
for _, item in ipairs(found()) do
  say(('diagnostic %d:%d %s [%s] %s'):format(item.lnum, item.col, item.source, item.code or item.user_data.lsp.code, item.message))
end

vim.ui.select = function(items, options, choose)
  for number, item in ipairs(items) do
    say(('action %d %s'):format(number, options.format_item(item)))
  end
  choose(items[1], 1)
end
vim.api.nvim_win_set_cursor(0, { found()[1].lnum + 1, found()[1].col })
local before = vim.api.nvim_buf_get_changedtick(0)
vim.lsp.buf.code_action()
await('an edit', function() return vim.api.nvim_buf_get_changedtick(0) > before end)
say('line ' .. vim.api.nvim_get_current_line())
await('the diagnostic to go', function() return #found() == 0 end)
say('no diagnostic')
vim.cmd('write')
vim.cmd('qall')
