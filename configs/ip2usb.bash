# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion for ip2usb and ip2usb-export. What there is to complete, `PROGRAM --help` says, so that nothing is listed twice:
# a line "  PROGRAM COMMAND [-x ARGUMENT] [--long] ..." for each command.
_ip2usb() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} usage options
	local program=${COMP_WORDS[0]##*/}
	COMPREPLY=()
	usage=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return 0
	if [ "$COMP_CWORD" -eq 1 ]; then
		options=$(sed -n "s/^  $program \([a-z]*\) .*/\1/p" <<<"$usage")
		mapfile -t COMPREPLY < <(compgen -W "$options --help --version" -- "$word")
		return 0
	fi
	case $before in
	-c | --config)
		compopt -o default # files
		return 0
		;;
	--root)
		compopt -o dirnames
		return 0
		;;
	--limit | --key) return 0 ;; # a number, and what nobody knows
	esac
	usage=$(grep "^  $program ${COMP_WORDS[1]} " <<<"$usage") || return 0
	if [[ $word == -* ]]; then
		options=$(grep -o '\[--*[a-z]*' <<<"$usage" | tr -d '[')
		mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$word")
	elif [[ $usage == *HOST* ]]; then
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
	elif [[ $usage == *" FILE "* ]]; then
		compopt -o default
	fi
}
complete -F _ip2usb ip2usb ip2usb-export
