BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE assets (
	sha256 VARCHAR(64) NOT NULL, 
	media_type VARCHAR(80) NOT NULL, 
	size BIGINT NOT NULL, 
	PRIMARY KEY (sha256)
);
INSERT INTO "assets" VALUES('956d1fc71fcfe412706e24eabe0e403d3c915a624403c4a5b87af1b807aae7d5','image/png',152);
INSERT INTO "assets" VALUES('0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1','image/webp',142);
INSERT INTO "assets" VALUES('c4df1c78a204aa29c92309d7c5a22db58b5ec8a641fe65db415b8fe599f406aa','image/png',184);
INSERT INTO "assets" VALUES('1f0e681dd48976f8d846cde1bda577184ea44de132d9e5f0c12e7415123c264b','image/webp',132);
INSERT INTO "assets" VALUES('cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f','image/png',154);
INSERT INTO "assets" VALUES('e71bc23a316da42854b16ca30ffd7f79196498a4a197717ddfc85f1081213412','image/png',150);
INSERT INTO "assets" VALUES('06bf778df8bbaf480e1a00840c8af257e2d9f561829625703aa2f15f294d6f75','image/webp',144);
INSERT INTO "assets" VALUES('ea949ec2949515aa5bfbc4850f2e03765d5bc6ab1e11cc2ee172974bfe478a52','image/png',181);
INSERT INTO "assets" VALUES('10caab61eb8e2b96d1fe4e4193f429f5d6538d851c9b171fc7130a6edb593428','image/webp',142);
CREATE TABLE captures (
	seq INTEGER NOT NULL, 
	id VARCHAR(80) NOT NULL, 
	endpoint VARCHAR(200) NOT NULL, 
	started VARCHAR(40) NOT NULL, 
	seconds FLOAT NOT NULL, 
	source VARCHAR(10) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	user TEXT, 
	prompt TEXT NOT NULL, 
	seed BIGINT, 
	model TEXT NOT NULL, 
	width INTEGER, 
	height INTEGER, 
	pictures INTEGER NOT NULL, 
	warnings INTEGER NOT NULL, 
	error TEXT, 
	failure TEXT, 
	thumbnail VARCHAR(64), 
	document TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
INSERT INTO "captures" VALUES(1,'c1','/sdapi/v1/txt2img','2026-11-23T16:15:02.000+00:00',0.0,'api','ok',NULL,'a red cat',1,'alpha.safetensors [12ab]',8,8,1,0,NULL,NULL,'0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1','{"format": 1, "id": "c1", "endpoint": "/sdapi/v1/txt2img", "payload": {"prompt": "a red cat", "seed": 1}, "template": {}, "results": [{"sha256": "8a17d32b98ac29788b6f7d651777fe3d15b5314ceeba829356d25bba71176bc6", "width": 8, "height": 8, "role": "sample", "seed": 1, "subseed": null, "infotext": "", "asset": "956d1fc71fcfe412706e24eabe0e403d3c915a624403c4a5b87af1b807aae7d5", "thumbnail": "0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1"}], "host": {"webui": "AUTOMATIC1111", "version": "v1.10.1", "python": "", "torch": "", "gradio": "", "device": "", "checkpoint": {"title": "alpha.safetensors [12ab]", "name": "", "hash": null, "sha256": null}, "vae": null, "loras": [], "embeddings": [], "extensions": [{"name": "sd-webui-payload-capture", "version": "1"}], "settings": {}}, "job": {"started": "2026-11-23T16:15:02.000+00:00", "seconds": 0.0, "source": "api", "state": "ok", "user": null, "task": null, "error": null, "repeatable": false}, "assets": {"956d1fc71fcfe412706e24eabe0e403d3c915a624403c4a5b87af1b807aae7d5": {"media_type": "image/png", "size": 152, "width": 8, "height": 8, "data": null}, "0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1": {"media_type": "image/webp", "size": 142, "width": 8, "height": 8, "data": null}}, "warnings": [], "choices": {}, "labels": {}, "resolved": {}, "origin": null}');
INSERT INTO "captures" VALUES(2,'c2','/sdapi/v1/img2img','2026-11-23T16:15:02.000+00:00',0.0,'api','ok','ann','a painting, 黒猫の夢',2,'alpha.safetensors [12ab]',8,8,1,0,NULL,NULL,'1f0e681dd48976f8d846cde1bda577184ea44de132d9e5f0c12e7415123c264b','{"format": 1, "id": "c2", "endpoint": "/sdapi/v1/img2img", "payload": {"prompt": "a painting, \u9ed2\u732b\u306e\u5922", "seed": 2, "init_images": [{"$asset": "cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f"}], "mask": null}, "template": {}, "results": [{"sha256": "5b4848f94c11b40d119228ef052c6a9c0c6b0c8dd15dda270c679339273b53e0", "width": 8, "height": 8, "role": "sample", "seed": 2, "subseed": null, "infotext": "", "asset": "c4df1c78a204aa29c92309d7c5a22db58b5ec8a641fe65db415b8fe599f406aa", "thumbnail": "1f0e681dd48976f8d846cde1bda577184ea44de132d9e5f0c12e7415123c264b"}], "host": {"webui": "AUTOMATIC1111", "version": "v1.10.1", "python": "", "torch": "", "gradio": "", "device": "", "checkpoint": {"title": "alpha.safetensors [12ab]", "name": "", "hash": null, "sha256": null}, "vae": null, "loras": [], "embeddings": [], "extensions": [{"name": "sd-webui-payload-capture", "version": "1"}], "settings": {}}, "job": {"started": "2026-11-23T16:15:02.000+00:00", "seconds": 0.0, "source": "api", "state": "ok", "user": "ann", "task": null, "error": null, "repeatable": false}, "assets": {"c4df1c78a204aa29c92309d7c5a22db58b5ec8a641fe65db415b8fe599f406aa": {"media_type": "image/png", "size": 184, "width": 8, "height": 8, "data": null}, "1f0e681dd48976f8d846cde1bda577184ea44de132d9e5f0c12e7415123c264b": {"media_type": "image/webp", "size": 132, "width": 8, "height": 8, "data": null}, "cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f": {"media_type": "image/png", "size": 154, "width": 8, "height": 8, "data": null}}, "warnings": [], "choices": {}, "labels": {}, "resolved": {}, "origin": null}');
INSERT INTO "captures" VALUES(3,'c3','/sdapi/v1/img2img','2026-11-24T10:00:00.500+00:00',0.0,'ui','ok',NULL,'a painting of a dog',3,'alpha.safetensors [12ab]',8,8,1,0,NULL,'late','06bf778df8bbaf480e1a00840c8af257e2d9f561829625703aa2f15f294d6f75','{"format": 1, "id": "c3", "endpoint": "/sdapi/v1/img2img", "payload": {"prompt": "a painting of a dog", "seed": 3, "init_images": [{"$asset": "cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f"}]}, "template": {}, "results": [{"sha256": "189d7464a1aede33c96b57ec79181679b5574d99f217a35b10e06cdfcad37817", "width": 8, "height": 8, "role": "sample", "seed": 3, "subseed": null, "infotext": "", "asset": "e71bc23a316da42854b16ca30ffd7f79196498a4a197717ddfc85f1081213412", "thumbnail": "06bf778df8bbaf480e1a00840c8af257e2d9f561829625703aa2f15f294d6f75"}], "host": {"webui": "AUTOMATIC1111", "version": "v1.10.1", "python": "", "torch": "", "gradio": "", "device": "", "checkpoint": {"title": "alpha.safetensors [12ab]", "name": "", "hash": null, "sha256": null}, "vae": null, "loras": [], "embeddings": [], "extensions": [{"name": "sd-webui-payload-capture", "version": "1"}], "settings": {}}, "job": {"started": "2026-11-24T10:00:00.500+00:00", "seconds": 0.0, "source": "ui", "state": "ok", "user": null, "task": null, "error": null, "repeatable": false}, "assets": {"e71bc23a316da42854b16ca30ffd7f79196498a4a197717ddfc85f1081213412": {"media_type": "image/png", "size": 150, "width": 8, "height": 8, "data": null}, "06bf778df8bbaf480e1a00840c8af257e2d9f561829625703aa2f15f294d6f75": {"media_type": "image/webp", "size": 144, "width": 8, "height": 8, "data": null}, "cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f": {"media_type": "image/png", "size": 154, "width": 8, "height": 8, "data": null}}, "warnings": [], "choices": {}, "labels": {}, "resolved": {}, "origin": null}');
INSERT INTO "captures" VALUES(4,'c4','/sdapi/v1/txt2img','2026-11-23T16:15:02.000+00:00',0.0,'api','ok',NULL,'half ? and  nul',4,'alpha.safetensors [12ab]',8,8,1,0,NULL,NULL,'10caab61eb8e2b96d1fe4e4193f429f5d6538d851c9b171fc7130a6edb593428','{"format": 1, "id": "c4", "endpoint": "/sdapi/v1/txt2img", "payload": {"prompt": "half \ud800 and \u0000 nul", "seed": 4}, "template": {}, "results": [{"sha256": "c297db6d254a91542f77ad6e2a6422905e45cb9d3dad4b6133a25f581f6adafc", "width": 8, "height": 8, "role": "sample", "seed": 4, "subseed": null, "infotext": "", "asset": "ea949ec2949515aa5bfbc4850f2e03765d5bc6ab1e11cc2ee172974bfe478a52", "thumbnail": "10caab61eb8e2b96d1fe4e4193f429f5d6538d851c9b171fc7130a6edb593428"}], "host": {"webui": "AUTOMATIC1111", "version": "v1.10.1", "python": "", "torch": "", "gradio": "", "device": "", "checkpoint": {"title": "alpha.safetensors [12ab]", "name": "", "hash": null, "sha256": null}, "vae": null, "loras": [], "embeddings": [], "extensions": [{"name": "sd-webui-payload-capture", "version": "1"}], "settings": {}}, "job": {"started": "2026-11-23T16:15:02.000+00:00", "seconds": 0.0, "source": "api", "state": "ok", "user": null, "task": null, "error": null, "repeatable": false}, "assets": {"ea949ec2949515aa5bfbc4850f2e03765d5bc6ab1e11cc2ee172974bfe478a52": {"media_type": "image/png", "size": 181, "width": 8, "height": 8, "data": null}, "10caab61eb8e2b96d1fe4e4193f429f5d6538d851c9b171fc7130a6edb593428": {"media_type": "image/webp", "size": 142, "width": 8, "height": 8, "data": null}}, "warnings": [], "choices": {}, "labels": {}, "resolved": {}, "origin": null}');
INSERT INTO "captures" VALUES(9,'c9','/sdapi/v1/txt2img','2026-11-23T16:15:02.000+00:00',0.0,'api','ok',NULL,'a red cat',1,'alpha.safetensors [12ab]',8,8,1,0,NULL,NULL,'0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1','{"format": 1, "cut sh');
CREATE TABLE uses (
	capture BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	PRIMARY KEY (capture, sha256)
);
INSERT INTO "uses" VALUES(1,'956d1fc71fcfe412706e24eabe0e403d3c915a624403c4a5b87af1b807aae7d5');
INSERT INTO "uses" VALUES(1,'0f2d0c6709924946ad881f38d4e0bb0588c362c063e4c32d8f5a1d20f337cdb1');
INSERT INTO "uses" VALUES(2,'c4df1c78a204aa29c92309d7c5a22db58b5ec8a641fe65db415b8fe599f406aa');
INSERT INTO "uses" VALUES(2,'1f0e681dd48976f8d846cde1bda577184ea44de132d9e5f0c12e7415123c264b');
INSERT INTO "uses" VALUES(2,'cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f');
INSERT INTO "uses" VALUES(3,'e71bc23a316da42854b16ca30ffd7f79196498a4a197717ddfc85f1081213412');
INSERT INTO "uses" VALUES(3,'06bf778df8bbaf480e1a00840c8af257e2d9f561829625703aa2f15f294d6f75');
INSERT INTO "uses" VALUES(3,'cfd085c92ef2534adb617d41c81ae6fdeb811d7c8ec148773b28aa13fdef6c8f');
INSERT INTO "uses" VALUES(4,'ea949ec2949515aa5bfbc4850f2e03765d5bc6ab1e11cc2ee172974bfe478a52');
INSERT INTO "uses" VALUES(4,'10caab61eb8e2b96d1fe4e4193f429f5d6538d851c9b171fc7130a6edb593428');
CREATE INDEX ix_captures_endpoint ON captures (endpoint);
CREATE INDEX ix_captures_source ON captures (source);
CREATE INDEX ix_uses_sha256 ON uses (sha256);
COMMIT;
