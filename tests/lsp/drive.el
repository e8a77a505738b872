;;; Waits for a diagnostic of prodlint and tells what it saw.  -*- lexical-binding: t -*-

(defun await (what condition)
  "Wait until CONDITION returns something, and return it; WHAT says what it is."
  (let ((tries 600) result)
    (while (and (not (setq result (funcall condition))) (> (setq tries (1- tries)) 0))
      (accept-process-output nil 0.05))
    (unless result
      (message "waited in vain for %s" what)
      (kill-emacs 1))
    result))
