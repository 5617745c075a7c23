/* SPDX-License-Identifier: Apache-2.0 */

/* What ovsdb-server 3.1.0 answered, request after request, on a new database
 * with the schema of ovsdb_tools.h: the operations, and the reply with its
 * UUIDs as <0>, <1>, ..., in the order of their first occurrence, its errors
 * reduced to their names, its rows sorted as text.  See check_transact.c. */

static const struct {
	const char *operations, *reply;
} stock[] = {
	{ "{'op':'insert','table':'R','row':{'name':'a','i':1,'oi':5,'si'"
	  ":['set',[1,2,3]],'r':0.1,'m':['map',[['k','v']]],'im':'x','ep'"
	  ":'e','en':'a'}}",
	  "[{'uuid':['uuid','<0>']}]" },
	{ "{'op':'insert','table':'R','row':{'name':'a','i':1,'oi':5,'si'"
	  ":['set',[1,2,3]],'r':0.1,'m':['map',[['k','v']]],'im':'x','ep'"
	  ":'e','en':'a'}}",
	  "[{'uuid':['uuid','<1>']},{'error':'constraint violation'}]" },
	{ "{'op':'insert','table':'R','row':{'name':'b','en':'a'}},{'op':"
	  "'insert','table':'R','row':{'name':'b','en':'a'}}",
	  "[{'uuid':['uuid','<2>']},{'uuid':['uuid','<3>']},{'error':'con"
	  "straint violation'}]" },
	{ "{'op':'select','table':'R','where':[]}",
	  "[{'rows':[{'_uuid':['uuid','<0>'],'_version':['uuid','<4>'],'b"
	  "':false,'en':'a','ep':'e','i':1,'im':'x','len':'','m':['map',["
	  "['k','v']]],'name':'a','oi':5,'pair':['map',[]],'r':0.1,'rng':"
	  "0,'s3':['set',[]],'si':['set',[1,2,3]],'strong':['set',[]],'u'"
	  ":['uuid','00000000-0000-0000-0000-000000000000'],'weak':['set'"
	  ",[]]}]}]" },
	{ "{'op':'select','table':'Nope','where':[]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['nope','==',1]]}",
	  "[{'error':'unknown column'}]" },
	{ "{'op':'select','table':'R','where':[['i','~',1]],'columns':['n"
	  "ame','oi']}",
	  "[{'error':'unknown function'}]" },
	{ "{'op':'select','table':'R','where':[['i','==']],'columns':['na"
	  "me','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['i','<',2]],'columns':['n"
	  "ame','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['oi','<',9]],'columns':['"
	  "name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['oi','==',['set',[]]]],'c"
	  "olumns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['oi','!=',['set',[]]]],'c"
	  "olumns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['oi','!=',5]],'columns':["
	  "'name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['name','<','x']],'columns"
	  "':['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['si','<',1]],'columns':['"
	  "name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[true],'columns':['name','o"
	  "i']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[false],'columns':['name','"
	  "oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[true,['i','==',1]],'column"
	  "s':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':['x'],'columns':['name','oi"
	  "']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[5],'columns':['name','oi']"
	  "}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':5,'columns':['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['oi','excludes',['set',[5"
	  ",6]]]],'columns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['oi','includes',['set',[5"
	  ",6]]]],'columns':['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['si','includes',2]],'colu"
	  "mns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['si','excludes',2]],'colu"
	  "mns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['si','excludes',['set',[8"
	  ",9]]]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['m','includes',['map',[['"
	  "k','v']]]]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['m','includes',['map',[['"
	  "k','w']]]]],'columns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['m','excludes',['map',[['"
	  "k','w']]]]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['m','==',['map',[['k','v'"
	  "]]]]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['i','excludes',['set',[0,"
	  "1]]]],'columns':['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['i','includes',['set',[]]"
	  "]],'columns':['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['r','>=',0.1]],'columns':"
	  "['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['r','>',0.1]],'columns':["
	  "'name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['len','==','aaaa']],'colu"
	  "mns':['name','oi']}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[['b','==',true]],'columns'"
	  ":['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['b','<',true]],'columns':"
	  "['name','oi']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[['u','==',['uuid','0000000"
	  "0-0000-0000-0000-000000000000']]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['u','==',['named-uuid','f"
	  "oo']]],'columns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['_uuid','==',['uuid','c5f"
	  "35b5a-0000-0000-0000-000000000001']]],'columns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[['_uuid','!=',['uuid','c5f"
	  "35b5a-0000-0000-0000-000000000001']]],'columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['_version','!=',['uuid','"
	  "c5f35b5a-0000-0000-0000-000000000001']]],'columns':['name','oi"
	  "']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['name','==','a']],'column"
	  "s':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['name','includes','a']],'"
	  "columns':['name','oi']}",
	  "[{'rows':[{'name':'a','oi':5}]}]" },
	{ "{'op':'select','table':'R','where':[['name','==','a'],['i','=="
	  "',99]],'columns':['name','oi']}",
	  "[{'rows':[]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['zz']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':[]}",
	  "[{'rows':[{}]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['i','i']}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['i']}",
	  "[{'rows':[{'i':1}]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['_uuid']}",
	  "[{'rows':[{'_uuid':['uuid','<0>']}]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':7}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':[7]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['i'],'sort':["
	  "'i']}",
	  "[{'rows':[{'i':1}]}]" },
	{ "{'op':'select','table':'R','where':[],'bogus':1}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'zap'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':7}",
	  "[{'error':'syntax error'}]" },
	{ "{}",
	  "[{'error':'syntax error'}]" },
	{ "7",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','/=',0"
	  "]]}",
	  "[{'error':'domain error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','~',0]"
	  "]}",
	  "[{'error':'unknown mutator'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','inser"
	  "t',0]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['im','inse"
	  "rt','x']]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','+=',9"
	  "223372036854775807]]}",
	  "[{'error':'range error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['rng','+='"
	  ",11]]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['si','*=',"
	  "0]]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['s3','inse"
	  "rt',['set',['a','b','c','d']]]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['s3','inse"
	  "rt',['set',['a','b']]],['s3','insert',['set',['c','d']]]]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','v']]],'name':'a','oi':5,'r'"
	  ":0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','delet"
	  "e',['set',['k']]]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[]],'name':'a','oi':5,'r':0.1,'s3'"
	  ":['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','inser"
	  "t',['map',[['k','zz'],['q','1']]]]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz'],['q','1']]],'name':'a'"
	  ",'oi':5,'r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','inser"
	  "t',['map',[['k','yy'],['z','1']]]]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz'],['q','1'],['z','1']]],"
	  "'name':'a','oi':5,'r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]"
	  "}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','delet"
	  "e',['map',[['k','yy'],['z','1']]]]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz'],['q','1']]],'name':'a'"
	  ",'oi':5,'r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','delet"
	  "e','q']]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':5,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['r','%=',2"
	  "]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':5,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['r','/=',0"
	  "]]}",
	  "[{'error':'domain error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':5,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['r','*=',1"
	  "e308],['r','*=',1e308]]}",
	  "[{'error':'range error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':5,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['oi','inse"
	  "rt',7]]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':5,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['oi','dele"
	  "te',5]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':['se"
	  "t',[]],'r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['oi','inse"
	  "rt',7]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':7,'r"
	  "':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['oi','+=',"
	  "7]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['oi','inse"
	  "rt',['set',[7,8]]]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['si','+=',"
	  "['set',[7,8]]]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[1,2,3]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['si','+=',"
	  "7]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[8,9,10]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['si','%=',"
	  "4]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':1,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','%=',-"
	  "1],['i','/=',-1]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['name','+="
	  "',1]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['m','+=',1"
	  "]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['rng','ins"
	  "ert',1]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['nope','in"
	  "sert',1]]}",
	  "[{'error':'unknown column'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[7]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['_uuid','i"
	  "nsert',1]]}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','=',1]"
	  "]}",
	  "[{'error':'unknown mutator'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','+=',1"
	  ".5]]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':0.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['r','+=',1"
	  "]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':0,'m':['map',[['k','zz']]],'name':'a','oi':14,'"
	  "r':1.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','-=',5"
	  "],['i','*=',3],['i','%=',4],['i','/=',2]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':-1,'m':['map',[['k','zz']]],'name':'a','oi':14,"
	  "'r':1.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['i','==']]"
	  "}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':-1,'m':['map',[['k','zz']]],'name':'a','oi':14,"
	  "'r':1.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['strong','"
	  "insert',['uuid','c5f35b5a-0000-0000-0000-000000000001']]]}",
	  "[{'count':1},{'error':'referential integrity violation'}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':-1,'m':['map',[['k','zz']]],'name':'a','oi':14,"
	  "'r':1.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[],'mutations':[['weak','in"
	  "sert',['uuid','c5f35b5a-0000-0000-0000-000000000001']]]}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r']}",
	  "[{'rows':[{'i':-1,'m':['map',[['k','zz']]],'name':'a','oi':14,"
	  "'r':1.1,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'mutate','table':'R','where':[]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'im':'y'}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'_uuid':['uuid','"
	  "c5f35b5a-0000-0000-0000-000000000001']}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'rng':11}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'len':'aaaa'}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'len':'äöü'}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'en':'zz'}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'s3':['set',['a',"
	  "'b','c','d']]}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':['set',[]]}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':['set',[1,2]]"
	  "}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':['set',[1]]}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':'x'}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':1.5}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':3.0}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'i':3e2}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'r':3}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'r':1e300}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'r':1.5}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'u':['uuid','xx']"
	  "}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'u':['uuid']}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'u':'x'}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'u':['named-uuid'"
	  ",'xx']}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'nope':1}}",
	  "[{'error':'unknown column'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'m':['set',[]]}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'m':['map',[['a']"
	  "]]}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'m':['map',[['a',"
	  "'b'],['b','c']]]}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'b':1}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'b':true}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'name':'x'}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'name':null}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{}}",
	  "[{'count':1}]" },
	{ "{'op':'update','table':'R','where':[],'row':7}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'ep':'q'}}",
	  "[{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','i','o"
	  "i','si','s3','m','r','b','ep','len']}",
	  "[{'rows':[{'b':true,'ep':'q','i':300,'len':'\\u00e4\\u00f6"
	  "\\u00fc','m':['map',[['a','b'],['b','c']]],'name':'x','oi':14,"
	  "'r':1.5,'s3':['set',[]],'si':['set',[0,1,2]]}]}]" },
	{ "{'op':'insert','table':'R','row':{'name':'f','en':'a','strong'"
	  ":['named-uuid','zz']}}",
	  "[{'uuid':['uuid','<5>']},{'error':'referential integrity viola"
	  "tion'}]" },
	{ "{'op':'insert','table':'R','row':{'name':'f','en':'a','weak':["
	  "'named-uuid','zz']}}",
	  "[{'uuid':['uuid','<6>']}]" },
	{ "{'op':'insert','table':'R','row':{'name':'g','en':'a','strong'"
	  ":['named-uuid','zz']}},{'op':'insert','table':'C','row':{'name"
	  "':'c'},'uuid-name':'zz'}",
	  "[{'uuid':['uuid','<7>']},{'uuid':['uuid','<8>']}]" },
	{ "{'op':'insert','table':'C','row':{},'uuid-name':'zz'},{'op':'i"
	  "nsert','table':'C','row':{},'uuid-name':'zz'}",
	  "[{'uuid':['uuid','<9>']},{'error':'duplicate uuid-name'}]" },
	{ "{'op':'insert','table':'C','row':{},'uuid-name':'0zz'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'insert','table':'R','row':{'name':'x1','_uuid':['uuid',"
	  "'c5f35b5a-0000-0000-0000-000000000000']}}",
	  "[{'uuid':['uuid','<10>']}]" },
	{ "{'op':'insert','table':'R','row':{'name':'x2'},'uuid':'c5f35b5"
	  "a-0000-0000-0000-000000000001'}",
	  "[{'uuid':['uuid','<11>']}]" },
	{ "{'op':'insert','table':'R','row':{'name':'x3'},'uuid':'c5f35b5"
	  "a-0000-0000-0000-000000000001'}",
	  "[{'error':'duplicate uuid'}]" },
	{ "{'op':'delete','table':'R','where':[['name','==','x2']]},{'op'"
	  ":'insert','table':'R','row':{'name':'x3'},'uuid':'c5f35b5a-000"
	  "0-0000-0000-000000000001'}",
	  "[{'count':1},{'error':'duplicate uuid'}]" },
	{ "{'op':'insert','table':'R','row':{'name':'x3'},'uuid':'xc5'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'delete','table':'C','where':[]}",
	  "[{'count':1},{'error':'referential integrity violation'}]" },
	{ "{'op':'insert','table':'W1','row':{}}",
	  "[{'uuid':['uuid','<12>']},{'error':'constraint violation'}]" },
	{ "{'op':'insert','table':'W1','row':{'w':['uuid','c5f35b5a-0000-"
	  "0000-0000-000000000001']}}",
	  "[{'uuid':['uuid','<13>']},{'error':'constraint violation'}]" },
	{ "{'op':'insert','table':'M1','row':{}},{'op':'insert','table':'"
	  "M1','row':{}}",
	  "[{'uuid':['uuid','<14>']},{'uuid':['uuid','<15>']},{'error':'c"
	  "onstraint violation'}]" },
	{ "{'op':'wait','table':'R','where':[['name','==','x']],'columns'"
	  ":['i'],'until':'==','rows':[{'i':99}],'timeout':0}",
	  "[{'error':'timed out'}]" },
	{ "{'op':'wait','table':'R','where':[['name','==','x']],'columns'"
	  ":['i'],'until':'!=','rows':[{'i':99}],'timeout':0}",
	  "[{}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'==','rows':[],'t"
	  "imeout':0}",
	  "[{}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'<','rows':[],'ti"
	  "meout':0}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'==','rows':[],'t"
	  "imeout':-1}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'==','rows':[],'b"
	  "ogus':1}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'==','rows':[{'zz"
	  "':1}]}",
	  "[{'error':'unknown column'}]" },
	{ "{'op':'wait','table':'M1','where':[],'until':'==','rows':[7]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'wait','table':'C','where':[],'columns':['name'],'until'"
	  ":'==','rows':[{'name':'c'},{'name':'c'}]}",
	  "[{}]" },
	{ "{'op':'wait','table':'C','where':[],'columns':['name'],'until'"
	  ":'==','rows':[{}],'timeout':0}",
	  "[{'error':'timed out'}]" },
	{ "{'op':'abort'}",
	  "[{'error':'aborted'}]" },
	{ "{'op':'comment','comment':'hi'},{'op':'abort'},{'op':'comment'"
	  ",'comment':'hi'}",
	  "[{},{'error':'aborted'},null]" },
	{ "{'op':'commit','durable':true}",
	  "[{}]" },
	{ "{'op':'commit','durable':1}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'commit'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'assert','lock':'l'}",
	  "[{'error':'not owner'}]" },
	{ "{'op':'assert'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'comment','comment':'c1'},{'op':'comment','comment':'c2'"
	  "},{'op':'insert','table':'M1','row':{'i':3}}",
	  "[{},{},{'uuid':['uuid','<16>']}]" },
	{ "{'op':'comment'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'insert','table':'C','row':{'name':'lone'}},{'op':'selec"
	  "t','table':'C','where':[['name','==','lone']],'columns':['name"
	  "']}",
	  "[{'uuid':['uuid','<17>']},{'rows':[{'name':'lone'}]}]" },
	{ "{'op':'select','table':'C','where':[['name','==','lone']],'col"
	  "umns':['name']}",
	  "[{'rows':[]}]" },
	{ "{'op':'insert','table':'C','row':{'name':'a','next':['named-uu"
	  "id','b']},'uuid-name':'a'},{'op':'insert','table':'C','row':{'"
	  "name':'b','next':['named-uuid','a']},'uuid-name':'b'}",
	  "[{'uuid':['uuid','<18>']},{'uuid':['uuid','<19>']}]" },
	{ "{'op':'insert','table':'C','row':{'name':'self','next':['named"
	  "-uuid','a']},'uuid-name':'a'}",
	  "[{'uuid':['uuid','<20>']}]" },
	{ "{'op':'insert','table':'C','row':{'name':'ch1','next':['named-"
	  "uuid','b']},'uuid-name':'a'},{'op':'insert','table':'C','row':"
	  "{'name':'ch2','next':['named-uuid','c']},'uuid-name':'b'},{'op"
	  "':'insert','table':'C','row':{'name':'ch3'},'uuid-name':'c'},{"
	  "'op':'insert','table':'R','row':{'name':'chain','strong':['nam"
	  "ed-uuid','a']}},{'op':'insert','table':'R','row':{'name':'weak"
	  "ling','weak':['named-uuid','a']}},{'op':'insert','table':'W1',"
	  "'row':{'w':['named-uuid','c']}}",
	  "[{'uuid':['uuid','<21>']},{'uuid':['uuid','<22>']},{'uuid':['u"
	  "uid','<23>']},{'uuid':['uuid','<24>']},{'uuid':['uuid','<25>']"
	  "},{'uuid':['uuid','<26>']}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[{'name':'a'},{'name':'b'},{'name':'c'},{'name':'ch1'"
	  "},{'name':'ch2'},{'name':'ch3'}]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','weak'"
	  ",'strong']}",
	  "[{'rows':[{'name':'chain','strong':['uuid','<21>'],'weak':['se"
	  "t',[]]},{'name':'f','strong':['set',[]],'weak':['set',[]]},{'n"
	  "ame':'g','strong':['uuid','<8>'],'weak':['set',[]]},{'name':'w"
	  "eakling','strong':['set',[]],'weak':['uuid','<21>']},{'name':'"
	  "x','strong':['set',[]],'weak':['set',[]]},{'name':'x1','strong"
	  "':['set',[]],'weak':['set',[]]},{'name':'x2','strong':['set',["
	  "]],'weak':['set',[]]}]}]" },
	{ "{'op':'update','table':'R','where':[['name','==','chain']],'ro"
	  "w':{'strong':['set',[]]}}",
	  "[{'count':1},{'error':'constraint violation'}]" },
	{ "{'op':'delete','table':'W1','where':[]},{'op':'update','table'"
	  ":'R','where':[['name','==','chain']],'row':{'strong':['set',[]"
	  "]}}",
	  "[{'count':1},{'count':1}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[{'name':'a'},{'name':'b'},{'name':'c'}]}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name','weak'"
	  ",'strong']}",
	  "[{'rows':[{'name':'chain','strong':['set',[]],'weak':['set',[]"
	  "]},{'name':'f','strong':['set',[]],'weak':['set',[]]},{'name':"
	  "'g','strong':['uuid','<8>'],'weak':['set',[]]},{'name':'weakli"
	  "ng','strong':['set',[]],'weak':['set',[]]},{'name':'x','strong"
	  "':['set',[]],'weak':['set',[]]},{'name':'x1','strong':['set',["
	  "]],'weak':['set',[]]},{'name':'x2','strong':['set',[]],'weak':"
	  "['set',[]]}]}]" },
	{ "{'op':'delete','table':'R','where':[]},{'op':'delete','table':"
	  "'C','where':[]}",
	  "[{'count':7},{'count':3}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[]}]" },
	{ "{'op':'insert','table':'R','row':{'name':'p'}},{'op':'insert',"
	  "'table':'R','row':{'name':'q'}}",
	  "[{'uuid':['uuid','<27>']},{'uuid':['uuid','<28>']}]" },
	{ "{'op':'update','table':'R','where':[['name','==','p']],'row':{"
	  "'name':'t'}},{'op':'update','table':'R','where':[['name','==',"
	  "'q']],'row':{'name':'p'}},{'op':'update','table':'R','where':["
	  "['name','==','t']],'row':{'name':'q'}}",
	  "[{'count':1},{'count':1},{'count':1}]" },
	{ "{'op':'select','table':'R','where':[],'columns':['name'],'sort"
	  "':['name']}",
	  "[{'rows':[{'name':'p'},{'name':'q'}]}]" },
	{ "{'op':'update','table':'R','where':[],'row':{'name':'same'}}",
	  "[{'count':2},{'error':'constraint violation'}]" },
	{ "{'op':'delete','table':'R','where':[['name','==','p']]},{'op':"
	  "'insert','table':'R','row':{'name':'p'}},{'op':'select','table"
	  "':'R','where':[['name','==','p']],'columns':['name']}",
	  "[{'count':1},{'uuid':['uuid','<29>']},{'rows':[{'name':'p'}]}]" },
	{ "{'op':'insert','table':'E1','row':{}}",
	  "[{'error':'constraint violation'}]" },
	{ "{'op':'insert','table':'E1','row':{'e':'x'}}",
	  "[{'uuid':['uuid','<30>']}]" },
	{ "{'op':'select','table':'E1','where':[],'columns':['e']}",
	  "[{'rows':[{'e':'x'}]}]" },
	{ "{'op':'insert','table':'X2','row':{'a':1,'b':'x'}},{'op':'inse"
	  "rt','table':'X2','row':{'a':1,'b':'y'}}",
	  "[{'uuid':['uuid','<31>']},{'uuid':['uuid','<32>']}]" },
	{ "{'op':'insert','table':'X2','row':{'a':2,'b':'x'}}",
	  "[{'uuid':['uuid','<33>']},{'error':'constraint violation'}]" },
	{ "{'op':'insert','table':'X2','row':{'a':1,'b':'x'}}",
	  "[{'uuid':['uuid','<34>']},{'error':'constraint violation'}]" },
	{ "{'op':'select','table':'X2','where':[['a','==',1],['b','==','y"
	  "']],'columns':['a','b']}",
	  "[{'rows':[{'a':1,'b':'y'}]}]" },
	{ "{'op':'select','table':'X2','where':[['b','==','y']],'columns'"
	  ":['a','b']}",
	  "[{'rows':[{'a':1,'b':'y'}]}]" },
	{ "{'op':'update','table':'X2','where':[['b','==','y']],'row':{'b"
	  "':'z'}},{'op':'insert','table':'X2','row':{'a':1,'b':'y'}},{'o"
	  "p':'select','table':'X2','where':[['b','==','z']],'columns':['"
	  "a','b']},{'op':'select','table':'X2','where':[['b','==','y']],"
	  "'columns':['a','b']},{'op':'delete','table':'X2','where':[['b'"
	  ",'==','z']]},{'op':'select','table':'X2','where':[['b','==','z"
	  "']],'columns':['a','b']}",
	  "[{'count':1},{'uuid':['uuid','<35>']},{'rows':[{'a':1,'b':'z'}"
	  "]},{'rows':[{'a':1,'b':'y'}]},{'count':1},{'rows':[]}]" },
	{ "{'op':'insert','table':'R','row':{'name':'s1','strong':['named"
	  "-uuid','x']}},{'op':'insert','table':'C','row':{'name':'shared"
	  "'},'uuid-name':'x'},{'op':'insert','table':'R','row':{'name':'"
	  "s2','strong':['named-uuid','x']}}",
	  "[{'uuid':['uuid','<36>']},{'uuid':['uuid','<37>']},{'uuid':['u"
	  "uid','<38>']}]" },
	{ "{'op':'delete','table':'R','where':[['name','==','s1']]},{'op'"
	  ":'select','table':'C','where':[],'columns':['name']}",
	  "[{'count':1},{'rows':[{'name':'shared'}]}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[{'name':'shared'}]}]" },
	{ "{'op':'delete','table':'C','where':[]},{'op':'delete','table':"
	  "'R','where':[['name','==','s2']]}",
	  "[{'count':1},{'count':1}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[]}]" },
	{ "{'op':'insert','table':'R','row':{'name':'p1','pair':['map',[["
	  "['named-uuid','k'],['named-uuid','v']]]]}},{'op':'insert','tab"
	  "le':'C','row':{'name':'k'},'uuid-name':'k'},{'op':'insert','ta"
	  "ble':'C','row':{'name':'v'},'uuid-name':'v'},{'op':'insert','t"
	  "able':'R','row':{'name':'p2','strong':['named-uuid','v']}}",
	  "[{'uuid':['uuid','<39>']},{'uuid':['uuid','<40>']},{'uuid':['u"
	  "uid','<41>']},{'uuid':['uuid','<42>']}]" },
	{ "{'op':'select','table':'C','where':[],'columns':['name']}",
	  "[{'rows':[{'name':'k'},{'name':'v'}]}]" },
	{ "{'op':'insert','table':'C','row':{'name':'once'},'uuid-name':'"
	  "o'},{'op':'mutate','table':'R','where':[['name','==','p2']],'m"
	  "utations':[['strong','insert',['named-uuid','o']]]},{'op':'sel"
	  "ect','table':'C','where':[],'columns':['name']}",
	  "[{'uuid':['uuid','<43>']},{'count':1},{'rows':[{'name':'k'},{'"
	  "name':'once'},{'name':'v'}]}]" },
	{ "{'op':'insert','table':'M1','row':{'i':1}}",
	  "[{'uuid':['uuid','<44>']},{'error':'constraint violation'}]" },
	{ "{'op':'delete','table':'M1','where':[]},{'op':'insert','table'"
	  ":'M1','row':{'i':9}}",
	  "[{'count':1},{'uuid':['uuid','<45>']}]" },
	{ "{'op':'select','table':'M1','where':[],'columns':['i']}",
	  "[{'rows':[{'i':9}]}]" },
	{ "{'op':'insert','table':'R','row':{'name':'\\u00e9\\u4e2d','len"
	  "':'\\u4e2d\\u4e2d\\u4e2d'}},{'op':'select','table':'R','where'"
	  ":[['len','==','\\u4e2d\\u4e2d\\u4e2d']],'columns':['name']}",
	  "[{'uuid':['uuid','<46>']},{'rows':[{'name':'\\u00e9\\u4e2d'}]}"
	  "]" },
	{ "{'op':'insert','row':{}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'insert','table':'M1'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'insert','table':7,'row':{}}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'update','table':'R','where':[]}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'delete','table':'R'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'select','table':'R'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'wait','table':'R'}",
	  "[{'error':'syntax error'}]" },
	{ "{'op':'insert','table':'R','row':{'name':'ins'}},{'op':'delete"
	  "','table':'R','where':[['name','==','ins']]},{'op':'select','t"
	  "able':'R','where':[['name','==','ins']]}",
	  "[{'uuid':['uuid','<47>']},{'count':1},{'rows':[]}]" },
};
